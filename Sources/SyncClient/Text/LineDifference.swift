/// Which lines two texts have in common, in order: the longest list of them (Myers 1986, greedy).
///
/// The cost is bounded: texts that differ in more than so many lines have no answer.
struct LineDifference {
    /// For each line of the first text the line of the second that it is; -1 for none.
    let matches: [Int]

    /// Lines that are added or removed, at most. Memory: the square of it times four bytes.
    static let maximumChanges = 1500

    /// - Parameters: lines by number: equal lines have equal numbers.
    init?(_ first: [Int32], _ second: [Int32]) {
        var matches = [Int](repeating: -1, count: first.count)
        var start = 0
        while start < min(first.count, second.count), first[start] == second[start] {
            matches[start] = start
            start += 1
        }
        var (firstEnd, secondEnd) = (first.count, second.count)
        while firstEnd > start, secondEnd > start, first[firstEnd - 1] == second[secondEnd - 1] {
            firstEnd -= 1
            secondEnd -= 1
            matches[firstEnd] = secondEnd
        }
        let found = Self.walk(Array(first[start..<firstEnd]), Array(second[start..<secondEnd])) { a, b in
            matches[start + a] = start + b
        }
        guard found else { return nil }
        self.matches = matches
    }

    /// Goes through the edit graph by rising number of changes, then back along the way that was found.
    private static func walk(_ first: [Int32], _ second: [Int32], match: (Int, Int) -> Void) -> Bool {
        let (n, m) = (first.count, second.count)
        guard n > 0, m > 0 else { return n + m <= .max }
        let limit = min(n + m, maximumChanges)
        // The furthest line of `first` on each diagonal; one more on both sides, so that neighbours are
        // there.
        var furthest = [Int32](repeating: 0, count: 2 * limit + 3)
        var steps: [[Int32]] = []
        for changes in 0...limit {
            steps.append(Array(furthest[(limit + 1 - changes)...(limit + 1 + changes)]))
            for diagonal in stride(from: -changes, through: changes, by: 2) {
                let center = limit + 1 + diagonal
                let isDown =
                    diagonal == -changes
                    || (diagonal != changes && furthest[center - 1] < furthest[center + 1])
                var x = Int(isDown ? furthest[center + 1] : furthest[center - 1] + 1)
                while x < n, x - diagonal < m, first[x] == second[x - diagonal] { x += 1 }
                furthest[center] = Int32(x)
                if x >= n, x - diagonal >= m {
                    back(n, m, steps, match)
                    return true
                }
            }
        }
        return false
    }

    private static func back(_ n: Int, _ m: Int, _ steps: [[Int32]], _ match: (Int, Int) -> Void) {
        var (x, y) = (n, m)
        for changes in stride(from: steps.count - 1, through: 0, by: -1) {
            let row = steps[changes]
            let diagonal = x - y
            func reach(_ diagonal: Int) -> Int { Int(row[changes + diagonal]) }
            let isDown =
                diagonal == -changes
                || (diagonal != changes && reach(diagonal - 1) < reach(diagonal + 1))
            let previous = diagonal + (isDown ? 1 : -1)
            let startX = changes == 0 ? 0 : reach(previous) + (isDown ? 0 : 1)
            while x > startX {
                x -= 1
                y -= 1
                match(x, y)
            }
            guard changes > 0 else { return }
            x = reach(previous)
            y = x - previous
        }
    }
}
