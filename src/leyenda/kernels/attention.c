/* Attention of bf16 states, forward and backward, a head of an image at a time: what lies between the
 * products never leaves the core's cache.
 *
 * Dao et al. 2022, "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness",
 * arXiv:2205.14135: the backward pass computes the weights again, from the logarithm of each row's sum. As an
 * image has some 200 positions, a block's rows of scores are whole.
 */
#include "chance.h"
#include "numbers.h"
#include "powers.h"
#include "tiles.h"

#include <math.h>
#include <stdlib.h>

/* `[images, heads, positions, width]`, the width's numbers side by side, all else that many numbers apart. */
typedef struct {
    bf16 *first;
    int64_t image, head, position;
} Heads;

typedef struct {
    int64_t images, heads, asking, told, width;
    const uint8_t
        *mask; /* [images, last, told]: where the last queries may look; the others before these keys */
    int64_t last;
    int64_t seed, faces; /* of chance.h; -1 faces where there is no dropout */
    float scale, times;  /* of scores; of what dropout leaves */
} Attention;

enum {
    BLOCK = 32,       /* queries at a time */
    MOST_BLOCKS = 256 /* of 16 keys; attention.py takes no more */
};

typedef struct {
    int64_t asking, told;           /* in whole tiles of 16 */
    int64_t deep_asking, deep_told; /* in whole tiles of 32 */
    int64_t width, blocks;
} Sizes;

static Sizes sizes_of(const Attention *of) {
    Sizes sizes = {rounded_up(of->asking, 16),
                   rounded_up(of->told, 16),
                   rounded_up(of->asking, 32),
                   rounded_up(of->told, 32),
                   of->width,
                   rounded_up(of->told, 16) / 16};
    return sizes;
}

/* Memory handed out in pieces; with nothing behind it, it counts what is needed. */
typedef struct {
    char *next;
    size_t used;
} Room;

static void *take(Room *room, int64_t count, size_t size) {
    size_t bytes = (size_t)rounded_up(count * (int64_t)size, 64);
    void *piece = room->next ? room->next + room->used : NULL;
    room->used += bytes;
    return piece;
}

static inline bf16 *of_head(const Heads *states, int64_t image, int64_t head) {
    return states->first + image * states->image + head * states->head;
}

/* For each query and each 16 keys a bit for every key that it may look at. */
static void find_seen(const Attention *of, int64_t image, int64_t blocks, __mmask16 *seen) {
    for (int64_t row = 0; row < of->asking; row++, seen += blocks) {
        int64_t behind = row - (of->asking - of->last);
        int64_t visible = of->mask && behind < 0 ? of->told - of->last : of->told;
        const uint8_t *mask =
            of->mask && behind >= 0 ? of->mask + (image * of->last + behind) * of->told : NULL;
        for (int64_t block = 0; block < blocks; block++) {
            __mmask16 some = first_of(visible - block * 16);
            if (mask)
                some &= _mm_test_epi8_mask(_mm_maskz_loadu_epi8(some, mask + block * 16), _mm_set1_epi8(-1));
            seen[block] = some;
        }
    }
}

/* What dropout leaves of a query's weights; without `chance`, all. */
typedef struct {
    const Chance *chance;
    int64_t place;
} Left;

static inline __mmask16 left_of(Left of, int64_t block) {
    return of.chance ? stays(of.chance, of.place + block) : 0xffff;
}

static inline Left left_of_query(const Attention *of, const Chance *chance, int64_t blocks, int64_t image,
                                 int64_t head, int64_t query) {
    Left left = {of->faces >= 0 ? chance : NULL, ((image * of->heads + head) * of->asking + query) * blocks};
    return left;
}

typedef struct {
    bf16 *queries, *keys, *values, *weights;
    float *scores, *sums;
    __mmask16 *seen;
    int64_t image; /* whose queries they are */
} ForwardRoom;

static ForwardRoom forward_room(const Attention *of, Sizes by, Room *room) {
    ForwardRoom in;
    in.queries = take(room, by.deep_asking * by.width, sizeof(bf16));
    in.keys = take(room, by.told * by.width, sizeof(bf16));
    in.values = take(room, by.deep_told * by.width, sizeof(bf16));
    in.weights = take(room, BLOCK * by.deep_told, sizeof(bf16));
    in.scores = take(room, BLOCK * by.told, sizeof(float));
    in.sums = take(room, BLOCK * by.width, sizeof(float));
    in.seen = take(room, of->asking * by.blocks, sizeof(__mmask16));
    in.image = -1;
    return in;
}

/* A row of scores to weights that are not divided by their sum yet; returns the logarithm of the sum, base 2.
 */
static float weights_of_row(const float *scores, const __mmask16 *seen, int64_t blocks, Left left,
                            float scale, bf16 *weights, float *share) {
    const __m512 least = _mm512_set1_ps(-INFINITY);
    __m512 highest = least, total = _mm512_setzero_ps();
    for (int64_t block = 0; block < blocks; block++)
        highest = _mm512_mask_max_ps(highest, seen[block], highest, _mm512_load_ps(scores + block * 16));
    float most = _mm512_reduce_max_ps(highest) * scale;
    for (int64_t block = 0; block < blocks; block++) {
        __m512 power =
            _mm512_fmsub_ps(_mm512_load_ps(scores + block * 16), _mm512_set1_ps(scale), _mm512_set1_ps(most));
        __m512 weight = _mm512_maskz_mov_ps(seen[block], power_of_two(power));
        total = _mm512_add_ps(total, weight);
        weight = _mm512_maskz_mov_ps(left_of(left, block), weight);
        _mm256_store_si256((void *)(weights + block * 16), (__m256i)_mm512_cvtneps_pbh(weight));
    }
    float sum = _mm512_reduce_add_ps(total);
    *share = 1 / sum;
    return most + log2f(sum);
}

static void forward_head(const Attention *of, const Heads *states, int64_t image, int64_t head,
                         const Heads *attended, float *logarithms, Sizes by, ForwardRoom *in) {
    const float scale = of->scale * (float)M_LOG2E; /* of scores that are exponents of two */
    bf16 *result = of_head(attended, image, head);
    const Chance chance = chance_of((uint64_t)of->seed, (int)of->faces);
    float shares[BLOCK];
    copy_rows(of_head(&states[0], image, head), of->asking, states[0].position, by.width, in->queries);
    pair_columns(of_head(&states[1], image, head), of->told, states[1].position, by.width, in->keys, NULL, 0);
    pair_rows(of_head(&states[2], image, head), of->told, states[2].position, by.width, in->values);
    if (in->image != image) find_seen(of, image, by.blocks, in->seen);
    in->image = image;
    for (int64_t first = 0; first < of->asking; first += BLOCK) {
        int64_t rows = of->asking - first < BLOCK ? of->asking - first : BLOCK, tiles = (rows + 15) / 16;
        Factors scores = {in->queries + first * by.width, by.width, in->keys, 1, by.width / 32};
        multiply(&scores, in->scores, by.told, tiles, by.told / 16, by.width / 32);
        for (int64_t row = 0; row < rows; row++) {
            float logarithm =
                weights_of_row(in->scores + row * by.told, in->seen + (first + row) * by.blocks, by.blocks,
                               left_of_query(of, &chance, by.blocks, image, head, first + row), scale,
                               in->weights + row * by.deep_told, &shares[row]);
            logarithms[first + row] = logarithm;
            shares[row] *= of->times;
        }
        Factors sums = {in->weights, by.deep_told, in->values, by.width / 16, 1};
        multiply(&sums, in->sums, by.width, tiles, by.width / 16, by.deep_told / 32);
        store_rows(in->sums, by.width, rows, by.width, shares, 1, result + first * attended->position,
                   attended->position);
    }
}

typedef struct {
    bf16 *queries, *upstream;                /* left factors' rows */
    bf16 *keys, *values;                     /* right factors' tiles with paired columns */
    bf16 *turned_queries, *turned_upstream;  /* [width, queries] */
    bf16 *paired_keys;                       /* tiles with paired rows */
    bf16 *paired_weights, *paired_of_scores; /* the same, [queries / 32][keys / 16] */
    bf16 *of_scores;                         /* a block's gradients of scores, as a left factor */
    float *scores, *of_weights, *sums, *turned_sums;
    __mmask16 *seen;
    int64_t image; /* whose queries they are */
} BackwardRoom;

static BackwardRoom backward_room(const Attention *of, Sizes by, Room *room) {
    BackwardRoom in;
    in.queries = take(room, by.deep_asking * by.width, sizeof(bf16));
    in.upstream = take(room, by.deep_asking * by.width, sizeof(bf16));
    in.keys = take(room, by.told * by.width, sizeof(bf16));
    in.values = take(room, by.told * by.width, sizeof(bf16));
    in.turned_queries = take(room, by.deep_asking * by.width, sizeof(bf16));
    in.turned_upstream = take(room, by.deep_asking * by.width, sizeof(bf16));
    in.paired_keys = take(room, by.deep_told * by.width, sizeof(bf16));
    in.paired_weights = take(room, by.deep_asking * by.told, sizeof(bf16));
    in.paired_of_scores = take(room, by.deep_asking * by.told, sizeof(bf16));
    in.of_scores = take(room, BLOCK * by.deep_told, sizeof(bf16));
    in.scores = take(room, BLOCK * by.told, sizeof(float));
    in.of_weights = take(room, BLOCK * by.told, sizeof(float));
    in.sums = take(room, BLOCK * by.width, sizeof(float));
    in.turned_sums = take(room, by.width * by.told, sizeof(float));
    in.seen = take(room, of->asking * by.blocks, sizeof(__mmask16));
    in.image = -1;
    return in;
}

/* What a query's gradients of scores are found from. */
typedef struct {
    const float *scores, *of_weights;
    const __mmask16 *seen;
    Left left;
    float logarithm, mean;
} Query;

/* Weights that dropout leaves, and gradients of scores, of 16 keys. */
static inline void gradients_of(const Query *query, int64_t block, float scale, float times, __m512 *left,
                                __m512 *of_scores) {
    __mmask16 seen = query->seen[block], kept = left_of(query->left, block);
    __m512 power = _mm512_fmsub_ps(_mm512_load_ps(query->scores + block * 16), _mm512_set1_ps(scale),
                                   _mm512_set1_ps(query->logarithm));
    __m512 weight = _mm512_maskz_mov_ps(seen, power_of_two(power));
    __m512 of_weight =
        _mm512_maskz_mul_ps(kept, _mm512_load_ps(query->of_weights + block * 16), _mm512_set1_ps(times));
    *left = _mm512_maskz_mov_ps(kept, weight);
    *of_scores = _mm512_maskz_mul_ps(seen, weight, _mm512_sub_ps(of_weight, _mm512_set1_ps(query->mean)));
}

static inline __m512i paired(__m512i both) {
    const __m512i places = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23,
                                            7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(places, both);
}

static float dot(const bf16 *left, const bf16 *right, int64_t width) {
    __m512 sum = _mm512_setzero_ps();
    for (int64_t column = 0; column < width; column += 32) {
        _mm_prefetch((const char *)(left + column + width), _MM_HINT_T1);
        sum = _mm512_dpbf16_ps(sum, (__m512bh)_mm512_loadu_si512(left + column),
                               (__m512bh)_mm512_loadu_si512(right + column));
    }
    return _mm512_reduce_add_ps(sum);
}

/* A head of an image in the backward pass, and where its states are. */
typedef struct {
    const Attention *of;
    Sizes by;
    int64_t image, head;
    const bf16 *result, *of_result;
    int64_t next_result, next_of_result;
    const float *logarithms;
    Chance chance;
} Head;

/* What each query of a block needs; behind the last one they see nothing. */
static void queries_of(const Head *head, const BackwardRoom *in, int64_t first, Query queries[BLOCK]) {
    static const __mmask16 nothing_seen[MOST_BLOCKS];
    for (int64_t row = 0; row < BLOCK; row++) {
        int64_t number = first + row, there = number < head->of->asking;
        Query query = {.scores = in->scores + row * head->by.told,
                       .of_weights = in->of_weights + row * head->by.told,
                       .seen = nothing_seen};
        query.left = left_of_query(head->of, &head->chance, head->by.blocks, head->image, head->head, number);
        if (there) {
            query.seen = in->seen + number * head->by.blocks;
            query.logarithm = head->logarithms[number];
            query.mean = dot(head->result + number * head->next_result,
                             head->of_result + number * head->next_of_result, head->by.width);
        }
        queries[row] = query;
    }
}

/* Two queries' weights and gradients of scores for so many blocks of keys: into the tiles' row of pairs, and
 * the latter as they are as well. */
static void gradients_of_two(const Query two[2], int64_t blocks, float scale, float times, bf16 *weights,
                             bf16 *paired_of_scores, bf16 *of_scores, int64_t stride) {
    for (int64_t block = 0; block < blocks; block++) {
        __m512 left[2], gradients[2];
        for (int i = 0; i < 2; i++) gradients_of(&two[i], block, scale, times, &left[i], &gradients[i]);
        __m512i both = (__m512i)_mm512_cvtne2ps_pbh(gradients[1], gradients[0]);
        _mm256_store_si256((void *)(of_scores + block * 16), _mm512_castsi512_si256(both));
        _mm256_store_si256((void *)(of_scores + stride + block * 16), _mm512_extracti64x4_epi64(both, 1));
        _mm512_store_si512(paired_of_scores + block * TILE_BYTES / 2, paired(both));
        both = (__m512i)_mm512_cvtne2ps_pbh(left[1], left[0]);
        _mm512_store_si512(weights + block * TILE_BYTES / 2, paired(both));
    }
}

/* A block of queries' weights and gradients of scores. */
static void find_of_scores(const Head *head, BackwardRoom *in, int64_t first, int64_t tiles) {
    const Sizes by = head->by;
    const int64_t depth = by.width / 32, tile = TILE_BYTES / 2;
    Query queries[BLOCK];
    queries_of(head, in, first, queries);
    Factors scores = {in->queries + first * by.width, by.width, in->keys, 1, depth};
    multiply(&scores, in->scores, by.told, tiles, by.blocks, depth);
    Factors of_weights = {in->upstream + first * by.width, by.width, in->values, 1, depth};
    multiply(&of_weights, in->of_weights, by.told, tiles, by.blocks, depth);
    for (int64_t row = 0; row < BLOCK; row += 2) {
        int64_t place = first / BLOCK * by.blocks * tile + row / 2 * 32;
        gradients_of_two(queries + row, by.blocks, head->of->scale * (float)M_LOG2E, head->of->times,
                         in->paired_weights + place, in->paired_of_scores + place,
                         in->of_scores + row * by.deep_told, by.deep_told);
    }
}

/* A product of what was turned, whose columns are the rows of a head's gradients. */
static void store_product(const bf16 *turned, const bf16 *pairs, const Head *head, BackwardRoom *in,
                          float factor, const Heads *gradients) {
    const Sizes by = head->by;
    Factors factors = {turned, by.deep_asking, pairs, by.blocks, 1};
    multiply(&factors, in->turned_sums, by.told, by.width / 16, by.blocks, by.deep_asking / 32);
    store_columns(in->turned_sums, by.told, head->of->told, by.width, factor,
                  of_head(gradients, head->image, head->head), gradients->position);
}

/* States, and gradients of what was attended to, in the orders of memory that the products need. */
static void lay_out(const Head *head, const Heads *states, BackwardRoom *in) {
    const Attention *of = head->of;
    const Sizes by = head->by;
    const bf16 *queries = of_head(&states[0], head->image, head->head);
    const bf16 *keys = of_head(&states[1], head->image, head->head);
    const bf16 *values = of_head(&states[2], head->image, head->head);
    copy_rows(queries, of->asking, states[0].position, by.width, in->queries);
    copy_rows(head->of_result, of->asking, head->next_of_result, by.width, in->upstream);
    pair_columns(in->queries, by.deep_asking, by.width, by.width, NULL, in->turned_queries, by.deep_asking);
    pair_columns(in->upstream, by.deep_asking, by.width, by.width, NULL, in->turned_upstream, by.deep_asking);
    pair_columns(keys, of->told, states[1].position, by.width, in->keys, NULL, 0);
    pair_rows(keys, of->told, states[1].position, by.width, in->paired_keys);
    pair_columns(values, of->told, states[2].position, by.width, in->values, NULL, 0);
    if (in->image != head->image) find_seen(of, head->image, by.blocks, in->seen);
    in->image = head->image;
}

static void backward_head(const Head *head, const Heads *states, const Heads *gradients, BackwardRoom *in) {
    const Sizes by = head->by;
    const int64_t asking = head->of->asking;
    bf16 *of_queries = of_head(&gradients[0], head->image, head->head);
    lay_out(head, states, in);
    for (int64_t first = 0; first < asking; first += BLOCK) {
        int64_t rows = asking - first < BLOCK ? asking - first : BLOCK, tiles = (rows + 15) / 16;
        find_of_scores(head, in, first, tiles);
        Factors factors = {in->of_scores, by.deep_told, in->paired_keys, by.width / 16, 1};
        multiply(&factors, in->sums, by.width, tiles, by.width / 16, by.deep_told / 32);
        store_rows(in->sums, by.width, rows, by.width, &head->of->scale, 0,
                   of_queries + first * gradients[0].position, gradients[0].position);
    }
    store_product(in->turned_queries, in->paired_of_scores, head, in, head->of->scale, &gradients[1]);
    store_product(in->turned_upstream, in->paired_weights, head, in, head->of->times, &gradients[2]);
}

/* The tiles' shapes are another library's before and afterwards. */
static void begin_tiles(TileShapes *before) {
    TileShapes shapes = whole_tiles();
    _tile_storeconfig(before);
    _tile_loadconfig(&shapes);
}

/* A thread's memory, cleared; NULL where there is none. */
static char *memory_for(const Room *counted) {
    char *memory = aligned_alloc(64, counted->used);
    if (memory) memset(memory, 0, counted->used);
    return memory;
}

/* Weighted sums of values, and for `attention_backward` the logarithm, base 2, of each query's sum.
 * `states` are queries, keys and values. Returns 0, or 1 where there is no memory. */
int attention_forward(const Attention *of, const Heads states[3], const Heads *attended, float *logarithms,
                      int threads) {
    Sizes by = sizes_of(of);
    int failed = 0;
#pragma omp parallel num_threads(threads) reduction(| : failed)
    {
        Room room = {0};
        forward_room(of, by, &room);
        char *memory = memory_for(&room);
        failed = memory == NULL;
        room = (Room){memory, 0};
        ForwardRoom in = forward_room(of, by, &room);
        TileShapes before;
        begin_tiles(&before);
#pragma omp for
        for (int64_t number = 0; number < of->images * of->heads; number++)
            if (memory)
                forward_head(of, states, number / of->heads, number % of->heads, attended,
                             logarithms + number * of->asking, by, &in);
        _tile_loadconfig(&before);
        free(memory);
    }
    return failed;
}

/* Gradients of queries, keys and values from that of what `attention_forward` found. */
int attention_backward(const Attention *of, const Heads states[3], const Heads *attended,
                       const Heads *upstream, const float *logarithms, const Heads gradients[3],
                       int threads) {
    Sizes by = sizes_of(of);
    int failed = 0;
#pragma omp parallel num_threads(threads) reduction(| : failed)
    {
        Room room = {0};
        backward_room(of, by, &room);
        char *memory = memory_for(&room);
        failed = memory == NULL;
        room = (Room){memory, 0};
        BackwardRoom in = backward_room(of, by, &room);
        TileShapes before;
        begin_tiles(&before);
#pragma omp for
        for (int64_t number = 0; number < of->images * of->heads; number++) {
            int64_t image = number / of->heads, place = number % of->heads;
            Head head = {of,
                         by,
                         image,
                         place,
                         of_head(attended, image, place),
                         of_head(upstream, image, place),
                         attended->position,
                         upstream->position,
                         logarithms + number * of->asking,
                         chance_of((uint64_t)of->seed, (int)of->faces)};
            if (memory) backward_head(&head, states, gradients, &in);
        }
        _tile_loadconfig(&before);
        free(memory);
    }
    return failed;
}
