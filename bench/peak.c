// The machine's limits: float32 multiply-adds from registers, and a triad through memory.
// usage: peak THREADS        prints operations/s on one thread, on all, and the triad's bytes/s on all
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
#define WIDTH 16
#define CHAINS 16
#elif defined(__AVX__)
#define WIDTH 8
#define CHAINS 12
#else
#define WIDTH 4
#define CHAINS 12
#endif
typedef float Vector __attribute__((vector_size(WIDTH * sizeof(float))));

enum { kRepeats = 7, kSteps = 4000000, kTriadFloats = 1 << 25, kMaxThreads = 1024 };

typedef struct {
  pthread_barrier_t* barrier;
  float *a, *b, *c;
  size_t begin, end;
  float seed, sum;
  double started, ended;
} Part;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Independent chains, enough to hide a multiply-add's latency and few enough to stay in registers.
static void* multiply_add(void* argument) {
  Part* part = argument;
  Vector sums[CHAINS], x, y;
  for (int lane = 0; lane < WIDTH; ++lane) x[lane] = part->seed, y[lane] = part->seed * 0.5f;
  for (int i = 0; i < CHAINS; ++i) sums[i] = x + (float)i;
  pthread_barrier_wait(part->barrier);
  part->started = now();
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
    for (int i = 0; i < CHAINS; ++i) sums[i] = sums[i] * x + y;
  }
  part->ended = now();
  for (int i = 0; i < CHAINS; ++i) part->sum += sums[i][0];
  return NULL;
}

static void* triad(void* argument) {
  Part* part = argument;
  for (size_t i = part->begin; i < part->end; ++i) part->a[i] = part->b[i] = part->c[i] = part->seed;
  pthread_barrier_wait(part->barrier);
  part->started = now();
  for (size_t i = part->begin; i < part->end; ++i) part->a[i] = part->b[i] + part->seed * part->c[i];
  part->ended = now();
  part->sum += part->a[part->begin];
  return NULL;
}

// The shortest of several times from the first thread's start to the last one's end.
static double best_seconds(void* (*work)(void*), int threads, float* a, float* b, float* c) {
  static Part parts[kMaxThreads];
  static pthread_t handles[kMaxThreads];
  double best = 1e30;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    const size_t share = (size_t)kTriadFloats / (size_t)threads;
    for (int i = 0; i < threads; ++i) {
      parts[i] = (Part){&barrier, a, b, c, share * (size_t)i, share * (size_t)(i + 1), 0.999f, 0, 0, 0};
      if (pthread_create(&handles[i], NULL, work, &parts[i])) exit(1);
    }
    double started = 1e30, ended = 0;
    for (int i = 0; i < threads; ++i) {
      pthread_join(handles[i], NULL);
      if (parts[i].started < started) started = parts[i].started;
      if (parts[i].ended > ended) ended = parts[i].ended;
    }
    pthread_barrier_destroy(&barrier);
    if (ended - started < best) best = ended - started;
  }
  return best;
}

int main(int argc, char** argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  if (threads < 1 || threads > kMaxThreads) return 2;
  const double flops = 2.0 * WIDTH * CHAINS * kSteps;
  const size_t bytes = sizeof(float) * (size_t)kTriadFloats;
  float *a = malloc(bytes), *b = malloc(bytes), *c = malloc(bytes);
  if (!a || !b || !c) return 1;
  const double one = flops / best_seconds(multiply_add, 1, a, b, c);
  const double all = threads * flops / best_seconds(multiply_add, threads, a, b, c);
  const double rate = 3.0 * (double)bytes / best_seconds(triad, threads, a, b, c);
  printf("%g %g %g\n", one, all, rate);
  return 0;
}
