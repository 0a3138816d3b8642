import ZipFiles

extension WeightFileError {
  init(_ error: ZipError) {
    let reason: Reason =
      switch error.reason {
      case .unreadable(let cause): .unreadable(cause)
      case .truncated(let expected, let actual): .truncated(expected: expected, actual: actual)
      case .archive(let problem): .archive(problem)
      }
    self.init(reason, file: error.file)
  }
}

extension ByteSource {
  /// Opens a file of weights.
  static func weights(_ path: String) throws(WeightFileError) -> ByteSource {
    do throws(ZipError) { return try ByteSource(path: path) } catch { throw WeightFileError(error) }
  }

  /// Exactly `count` bytes; memory is taken for no more than the file has.
  func bytes(_ count: Int, at offset: Int) throws(WeightFileError) -> [UInt8] {
    do throws(ZipError) { return try read(count, at: offset) } catch {
      throw WeightFileError(error)
    }
  }

  /// The archive that the bytes are.
  func archive() throws(WeightFileError) -> ZipArchive {
    do throws(ZipError) { return try ZipArchive(self) } catch { throw WeightFileError(error) }
  }
}

extension ZipArchive {
  /// The unpacked bytes of a member, its checksum compared.
  func bytes(of member: ZipMember, limit: Int = .max) throws(WeightFileError) -> [UInt8] {
    do throws(ZipError) { return try contents(of: member, limit: limit) } catch {
      throw WeightFileError(error)
    }
  }

  /// Compares the checksum of a stored member with that of its bytes, which are read where they are not given.
  func verify(_ member: ZipMember, _ crc: UInt32?) throws(WeightFileError) {
    do throws(ZipError) {
      if let crc {
        try check(member, crc)
      } else {
        try check(member, checksum(of: member))
      }
    } catch {
      throw WeightFileError(error)
    }
  }
}
