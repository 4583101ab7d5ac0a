// How fast memory of a given size is read, over and over, by all threads at once: from L1, L2, L3 or beyond.
// usage: bandwidth THREADS BYTES...        prints bytes/s of all threads together, one line for each size
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#if defined(__AVX512F__)
#define WIDTH 16
#elif defined(__AVX__)
#define WIDTH 8
#else
#define WIDTH 4
#endif
typedef float Vector __attribute__((vector_size(WIDTH * sizeof(float)), aligned(4)));

enum { kRepeats = 5, kMaxThreads = 1024, kStrips = 8 };
static const double kSeconds = 0.02;  // of a measurement, about

typedef struct {
  pthread_barrier_t* barrier;
  const float* x;
  size_t floats, passes;
  float sum;
  double started, ended;
} Part;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void* read_all(void* argument) {
  Part* part = argument;
  Vector sums[kStrips];
  memset(sums, 0, sizeof sums);
  pthread_barrier_wait(part->barrier);
  part->started = now();
  for (size_t pass = 0; pass < part->passes; ++pass) {
    const float* x = part->x;
    __asm__ volatile("" : "+r"(x) : : "memory");
    for (size_t i = 0; i + kStrips * WIDTH <= part->floats; i += kStrips * WIDTH) {
#pragma GCC unroll 8
      for (int s = 0; s < kStrips; ++s) sums[s] += *(const Vector*)(x + i + (size_t)s * WIDTH);
    }
  }
  part->ended = now();
  for (int s = 0; s < kStrips; ++s) part->sum += sums[s][0];
  return NULL;
}

static double seconds(int threads, const float* x, size_t floats, size_t passes) {
  static Part parts[kMaxThreads];
  static pthread_t handles[kMaxThreads];
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, NULL, (unsigned)threads);
  const size_t share = floats / (size_t)threads;
  for (int i = 0; i < threads; ++i) {
    parts[i] = (Part){&barrier, x + share * (size_t)i, share, passes, 0, 0, 0};
    if (pthread_create(&handles[i], NULL, read_all, &parts[i])) exit(1);
  }
  double started = 1e30, ended = 0;
  for (int i = 0; i < threads; ++i) {
    pthread_join(handles[i], NULL);
    if (parts[i].started < started) started = parts[i].started;
    if (parts[i].ended > ended) ended = parts[i].ended;
  }
  pthread_barrier_destroy(&barrier);
  return ended - started;
}

int main(int argc, char** argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  if (threads < 1 || threads > kMaxThreads) return 2;
  for (int at = 2; at < argc; ++at) {
    const size_t page = (size_t)2 << 20, bytes = (strtoull(argv[at], NULL, 10) + page - 1) / page * page;
    const size_t floats = strtoull(argv[at], NULL, 10) / sizeof(float);
    float* x = aligned_alloc(page, bytes);
    if (!x || floats / (size_t)threads < kStrips * WIDTH) return 1;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    (void)madvise(x, bytes, MADV_HUGEPAGE);
#endif
    memset(x, 0, bytes);
    const double once = seconds(threads, x, floats, 3) / 3;
    const size_t passes = once < kSeconds ? (size_t)(kSeconds / once) + 1 : 1;
    double best = 1e30;
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
      const double taken = seconds(threads, x, floats, passes) / (double)passes;
      if (taken < best) best = taken;
    }
    printf("%g\n", (double)(floats * sizeof(float)) / best);
    free(x);
  }
  return 0;
}
