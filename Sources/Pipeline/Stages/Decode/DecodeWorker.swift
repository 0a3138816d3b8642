import DurableFiles
import PipelineCore
import WorkerProcesses

/// What a process runs that decodes for another.
///
/// Decoders are large C libraries, and their input comes from strangers: here they may crash, hang or take
/// all memory, and cost one picture.
public enum DecodeWorker {
  /// Answers a ``DecodeStage`` or a ``PictureExaminer`` on standard input until that closes, then ends the process.
  public static func serve() -> Never { serve { _ in } }

  /// The same with something done to each body before it is decoded, for tests.
  package static func serve(before touch: @escaping (_ body: [UInt8]) -> Void) -> Never {
    WorkerServer.serve { greeting in
      guard let options = DecodeOptions(greeting: greeting) else { throw ForeignGreeting() }
      let maker = PictureMaker(
        options: options, outOfMemory: { WorkerServer.endForWantOfMemory() })
      return { bytes in
        guard let request = DecodeRequest(bytes) else { throw ForeignGreeting() }
        return answer(request, maker, options, touch).bytes
      }
    }
  }

  private static func answer(
    _ request: DecodeRequest, _ maker: PictureMaker, _ options: DecodeOptions,
    _ touch: ([UInt8]) -> Void
  ) -> DecodeAnswer {
    switch request {
    case .selfTest(let isLarge):
      return .selfTest(
        problem: DecodeSelfTest(options: options).problem(isLarge: isLarge, touch))
    case .examine(let body):
      touch(body)
      return .examined(maker.examine(body))
    case .picture(let request):
      do throws(FileError) {
        let body = try DurableFile.read(
          request.path, count: request.bytes.length, at: request.bytes.offset)
        guard body.count == request.bytes.length else { return .cut(count: body.count) }
        touch(body)
        return .picture(maker.picture(from: body, boxes: request.boxes))
      } catch {
        return .fileError(error)
      }
    }
  }

  /// Program and worker are not of one version.
  private struct ForeignGreeting: Error, CustomStringConvertible {
    var description: String { "asked by another version of this program" }
  }
}
