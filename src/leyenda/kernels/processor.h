/* What the kernels may use of the processor; `can_run` in processor.c asks whether it is there. */
#ifndef LEYENDA_PROCESSOR_H
#define LEYENDA_PROCESSOR_H

#pragma GCC target(                                                                                          \
    "avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,aes,vaes,amx-tile,amx-bf16")

#include <immintrin.h>

#endif
