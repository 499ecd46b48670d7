/* Sixteen bf16 numbers of memory as float32, and as many of them as are left. */
#ifndef LEYENDA_NUMBERS_H
#define LEYENDA_NUMBERS_H

#include "processor.h"

#include <stdint.h>

typedef uint16_t bf16;

/* The first of sixteen, so many of them. */
static inline __mmask16 first_of(int64_t count) {
    return count >= 16 ? 0xffff : count <= 0 ? 0 : (__mmask16)((1 << count) - 1);
}

/* The first of thirty-two. */
static inline __mmask32 first_of_32(int64_t count) {
    return count >= 32 ? ~0u : count <= 0 ? 0 : (1u << count) - 1;
}

/* Those that are there; zeros for the others, which are not read. */
static inline __m512 numbers_at(const bf16 *place, __mmask16 there) {
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(there, place)), 16));
}

#endif
