// The compiler's own header of vector instructions; no library stands behind it.
#include <immintrin.h>
