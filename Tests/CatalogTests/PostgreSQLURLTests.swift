import Catalog
import Testing

@Suite struct PostgreSQLURLTests {
    @Test(arguments: [
        ("postgresql://me:s3cret@db.example:5433/nacre", "postgresql://me:***@db.example:5433/nacre"),
        (
            "postgres://me:s3c%40ret@[::1]/nacre?sslmode=require",
            "postgres://me:***@[::1]/nacre?sslmode=require"
        ),
        (
            "postgresql:///nacre?host=/run/postgresql&password=s3cret&user=me",
            "postgresql:///nacre?host=/run/postgresql&password=***&user=me"
        ),
        ("postgresql://db/nacre?sslpassword=s3cret", "postgresql://db/nacre?sslpassword=***"),
        ("postgresql://me@db/nacre", "postgresql://me@db/nacre"),
        ("postgresql://", "postgresql://"),
    ])
    func isShownWithoutItsPassword(text: String, shown: String) throws {
        #expect(try #require(PostgreSQLURL(text)).description == shown)
    }

    /// What is no address may hold a password all the same, and is shown in the message that refuses it.
    @Test(arguments: [
        "postgresql://me:s3@cret@db/nacre", "postgresql://me:s3/cret@db/nacre", "postgresql://me:s3?cret@db",
        "postgresql://me:s%zzcret@db/nacre", "postgresql://me:s3cret@db:port%/nacre", "http://me:s3cret@db/",
        "host=db password=s3cret@x",
    ])
    func whatCannotBeReadIsRefusedAndHidden(text: String) {
        #expect(PostgreSQLURL(text) == nil)
        #expect(!PostgreSQLURL.masked(text).contains("cret"))
    }

    @Test(arguments: ["", "nacre", "postgresql:/db", "postgresql://a\0b"])
    func whatIsNoAddressIsRefused(text: String) { #expect(PostgreSQLURL(text) == nil) }

    @Test func aServerThatIsNotThereIsNamedWithoutThePassword() throws {
        let url = try #require(PostgreSQLURL("postgresql://me:s3cret@127.0.0.1:1/nacre"))
        let error = #expect(throws: CatalogError.self) { try PostgreSQLDatabase(url) }
        let text = try #require(error).description
        #expect(!text.contains("s3cret"))
        #expect(text.contains("postgresql://me:***@127.0.0.1:1/nacre"))
        #expect(text.contains("check that the server runs"))
    }
}
