/* Whether the kernels can run here; this file alone is compiled for any processor. */
#include <sys/syscall.h>
#include <unistd.h>

enum { ARCH_REQ_XCOMP_PERM = 0x1023, TILE_DATA = 18 };

/* 1 where the processor has the instructions of processor.h and Linux lets this process use its tiles, else
 * 0. */
int can_run(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512bf16") ||
        !__builtin_cpu_supports("avx512vnni") || !__builtin_cpu_supports("fma"))
        return 0;
    unsigned int eax = 7, ebx, ecx = 0, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    int has_wide_aes = ecx >> 9 & 1, multiplies_bf16 = edx >> 22 & 1, has_tiles = edx >> 24 & 1;
    return has_wide_aes && multiplies_bf16 && has_tiles &&
           syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0;
}
