// C[m, n] = A[m, k] * B[k, n], our own: planned once, run blind.
//
// A is read at A[i * lda + p] (or A[p * lda + i] when trans_a), B at B[p * ldb + j] (or B[j * ldb + p] when
// trans_b); C is row-major with row stride ldc and is overwritten. Operands do not alias C. Every element of
// C is fma(a, b, acc) over p in increasing order from 0, whatever the blocking, threads and instruction set:
// where k is blocked, the accumulators are reloaded from C. k == 0 gives zeros. With
// `strips` C is a vector and its elements are summed in strips of k (gemm_dot in kernels.def).
//
// Of bfloat16 operands (C is float32) p goes by in pairs, the odd one of a pair first, denormal operands count
// as zero and denormal results become zero: the arithmetic of VDPBF16PS, which does it where there is one.
// An odd k's last pair has +0 for its second operands.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"
#include "kernels/table.h"

namespace ranvier {

struct GemmProblem {
  DType dtype = DType::f32;  // f32 or f64 (i32 and i64 by a plain loop)
  std::int64_t m = 0, n = 0, k = 0;
  bool trans_a = false, trans_b = false;
  std::int64_t lda = 0, ldb = 0, ldc = 0;
  // n is 1 and A's rows lie along k, or m is 1 and B's columns do: sums in strips.
  bool strips = false;
  bool bf16 = false;  // A and B hold bfloat16 in std::uint16_t; dtype, which is C's, is f32
};

// Called for each finished block of C while it is still in cache: rows [row_begin, row_end), columns
// [col_begin, col_end). Blocks tile C exactly once. `thread` is below GemmPlan::threads.
struct GemmEpilogue {
  void (*fn)(void* context, std::int64_t row_begin, std::int64_t row_end, std::int64_t col_begin,
             std::int64_t col_end, int thread) = nullptr;
  void* context = nullptr;
};

// How a product will be run; chosen by gemm_plan.cpp, obeyed by gemm.cpp.
struct GemmPlan {
  GemmProblem problem;
  const KernelTable* table = nullptr;
  int path = 0;     // a GemmPath (gemm_path.h)
  int threads = 1;  // threads the run will use
  bool bf16_dot = false;  // bfloat16: by the processor's instruction
  bool interruptible = true;  // whether gemm_run returns early, C undefined, when an interrupt comes
  // C is cut into tasks of mc x nc, whose k is walked in blocks of kc (of bfloat16: kc pairs).
  std::int64_t mc = 0, nc = 0, kc = 0;
  // A task's rows go by in pieces of `ma`; the last pass over k finishes a piece by `strip` columns.
  std::int64_t ma = 0, strip = 0;
  // Of scratch_bytes, each thread has thread_bytes to itself: panels_of_b bytes of them, then panels of A
  // (kGemmTurned: a block of C's transpose).
  std::size_t thread_bytes = 0, panels_of_b = 0;
  std::size_t scratch_bytes = 0;  // 64-byte aligned scratch that gemm_run needs
};

// `max_threads` bounds GemmPlan::threads; the choice of path never depends on it, and results do not.
// `epilogue_ns` is the time on one thread of the epilogue that will ride along: it counts when threads are
// chosen.
GemmPlan gemm_plan(const GemmProblem& problem, int max_threads, const KernelTable& table,
                   double epilogue_ns = 0);
void gemm_run(const GemmPlan& plan, const void* a, const void* b, void* c, void* scratch,
              const GemmEpilogue* epilogue = nullptr);
// Plain triple loop with double accumulators (long double for f64): the oracle.
void gemm_reference(const GemmProblem& problem, const void* a, const void* b, void* c);

}  // namespace ranvier
