/* Which states dropout leaves: random bits that follow from a seed and a place alone, so that they are drawn
 * again in the backward pass in place of being kept.
 *
 * ARS-5 of Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3": a counter through five rounds
 * of AES.
 */
#ifndef LEYENDA_CHANCE_H
#define LEYENDA_CHANCE_H

#include "processor.h"

#include <stdint.h>

enum { ROUNDS = 5 };

typedef struct {
    __m256i keys[ROUNDS + 1];
    __m256i faces; /* a state stays where 16 random bits are a lower number */
} Chance;

static inline Chance chance_of(uint64_t seed, int faces) {
    Chance chance = {.faces = _mm256_set1_epi16((short)faces)};
    const __m128i step = _mm_set_epi64x((int64_t)0xbb67ae8584caa73b, (int64_t)0x9e3779b97f4a7c15);
    __m128i key = _mm_set_epi64x(0, (int64_t)seed);
    for (int round = 0; round <= ROUNDS; round++, key = _mm_add_epi64(key, step))
        chance.keys[round] = _mm256_broadcastsi128_si256(key);
    return chance;
}

/* Which of the 16 states at a place, numbered from 0 on, stay. */
static inline __mmask16 stays(const Chance *chance, int64_t place) {
    __m256i bits = _mm256_xor_si256(_mm256_set_epi64x(1, place, 0, place), chance->keys[0]);
    for (int round = 1; round < ROUNDS; round++) bits = _mm256_aesenc_epi128(bits, chance->keys[round]);
    bits = _mm256_aesenclast_epi128(bits, chance->keys[ROUNDS]);
    return _mm256_cmplt_epu16_mask(bits, chance->faces);
}

#endif
