import Digests
import Harness
import IPLD
import Multiformats

/// How many directory nodes and CIDs are read and written a second?
enum CodecBenchmark {
    static func run(_ settings: Settings, _ report: inout Report) throws {
        let links = try (0..<174).map { index in
            DAGPBLink(
                cid: try CID(hashing: Array("block \(index)".utf8), codec: .raw),
                name: Array("file \(1000 + index)".utf8), tsize: UInt64(index))
        }
        let node = DAGPBNode(links: links, data: [8, 1])
        let encoded = node.encoded()
        let repeats = settings.isQuick ? 1000 : 5000
        let amount = Double(repeats * encoded.count) / 1e6

        let encoding = try Measurement.of(runs: settings.runs) {
            var last: [UInt8] = []
            for _ in 0..<repeats { last = node.encoded() }
            return last == encoded
        }
        report.addRate("codecs", "encode DAG-PB, 174 links", amount: amount, unit: "MB/s", encoding)

        let decoding = try Measurement.of(runs: settings.runs) {
            var last = DAGPBNode()
            for _ in 0..<repeats { last = try DAGPBNode(decoding: encoded) }
            return last == node
        }
        report.addRate("codecs", "decode DAG-PB, 174 links", amount: amount, unit: "MB/s", decoding)

        let texts = links.map { "\($0.cid)" }
        let parsing = try Measurement.of(runs: settings.runs) {
            var last: CID?
            for _ in 0..<repeats / 10 { for text in texts { last = try CID(text: text) } }
            return last == links.last?.cid
        }
        let parsed = Double(repeats / 10 * texts.count) / 1e6
        report.addRate("codecs", "CIDs from text", amount: parsed, unit: "million/s", parsing)
    }
}
