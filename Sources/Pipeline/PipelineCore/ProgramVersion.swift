/// The version of this program, as `--version` says it and footers name it.
public enum ProgramVersion {
  public static let current = "0.1.0"
}
