public import DurableFiles
import Glibc
import PairDataset
import ParquetFile

/// An error that may stand for a refusal of the system.
public protocol SystemRefusal: Error {
  /// What the system refused; nil where something else is wrong.
  var refusal: FileError? { get }
}

/// What is wrong with the machine or the set-up, so that no other chunk would fare better; nil where
/// the chunk is at fault.
func machineFault(_ error: any Error) -> (any Error)? {
  if error is any RunFault { return error }
  var fault = error as? FileError ?? (error as? any SystemRefusal)?.refusal
  if let error = error as? ShardError, case .file(let cause) = error.reason { fault = cause }
  if let error = error as? ParquetError, case .file(let cause) = error.problem { fault = cause }
  return fault.flatMap { isOfTheMachine($0) ? $0 : nil }
}

/// Whether the cause is a full or broken disk, a limit of the process, or a shortage of the machine.
private func isOfTheMachine(_ error: FileError) -> Bool {
  [
    ENOSPC, EDQUOT, EROFS, EACCES, EPERM, EMFILE, ENFILE, EIO, ENOMEM, ENOBUFS, EAGAIN, ENOLCK,
  ].contains(error.errorNumber)
}
