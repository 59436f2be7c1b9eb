import ArgumentParser

@main
struct Nacre: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "A content-addressed storage node.")
}
