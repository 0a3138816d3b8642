// libFuzzer's entry for a program that has its own main (llvm.org/docs/LibFuzzer.html, "Using
// libFuzzer as a library"). The toolchain has no header for it.
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *bytes, size_t count));
