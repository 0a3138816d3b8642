import JobLedger
import Testing

@Suite struct ProcessIdentityTests {
  @Test("this process is alive; the same number with another start is not")
  func identity() {
    let me = ProcessIdentity.owner(worker: "w")
    #expect(ProcessIdentity.isAlive(me) == true)
    var reused = me
    reused.processStart += 1
    #expect(ProcessIdentity.isAlive(reused) == false)
    var foreign = me
    foreign.host = "elsewhere"
    #expect(ProcessIdentity.isAlive(foreign) == nil)
  }

  @Test("a host is the same machine before and after a reboot")
  func machine() {
    #expect(ProcessIdentity.machine(of: "vm/0af17c8c") == "vm")
    #expect(ProcessIdentity.machine(of: "vm") == "vm")
    #expect(!ProcessIdentity.machine(of: ProcessIdentity.host()).contains("/"))
  }
}
