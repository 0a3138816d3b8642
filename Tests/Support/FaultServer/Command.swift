import Foundation

/// Runs a program to its end, even one that leaves a daemon behind.
///
/// Foundation's `Process` waits for the daemon as well.
public enum Command {
  /// - Parameters:
  ///   - arguments: The program's path, and its arguments.
  ///   - folder: Where it runs.
  /// - Throws: `POSIXError` when it cannot be started, or ends with a status other than 0.
  public static func run(_ arguments: [String], in folder: String) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for descriptor: Int32 in [1, 2] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
    }
    var pointers = (["/usr/bin/env", "-C", folder] + arguments).map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var child = pid_t()
    let code = posix_spawn(&child, "/usr/bin/env", &actions, nil, &pointers, environ)
    guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else { throw POSIXError(.ECHILD) }
  }
}
