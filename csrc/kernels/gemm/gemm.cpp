// Runs a planned product: walks the blocks, packs where the plan says so, calls the table's kernels. Nothing
// is chosen and nothing is allocated here. Scratch is one piece per thread: its packed blocks of B and A.
#include "kernels/gemm/gemm.h"

#include <algorithm>
#include <type_traits>

#include "base/threading.h"
#include "kernels/gemm/gemm_path.h"

namespace ranvier {
namespace {

std::int64_t div_up(std::int64_t x, std::int64_t by) { return (x + by - 1) / by; }

// For operands of T: the type that panels hold and a tile multiplies, how many of T are in one along k, C's
// type, and the table's kernels.
template <class T>
struct Kernels;
template <>
struct Kernels<float> {
  using Word = float;
  using Sum = float;
  static constexpr std::int64_t kDepth = 1;
  static auto block(const GemmPlan& plan) { return plan.table->gemm_block_f32; }
  static auto pack(const KernelTable& t) { return t.gemm_pack_f32; }
  static auto pack_a(const KernelTable& t) { return t.gemm_pack_a_f32; }
  static auto thin(const KernelTable& t) { return t.gemm_thin_f32; }
  static auto dot(const KernelTable& t) { return t.gemm_dot_f32; }
};
template <>
struct Kernels<double> {
  using Word = double;
  using Sum = double;
  static constexpr std::int64_t kDepth = 1;
  static auto block(const GemmPlan& plan) { return plan.table->gemm_block_f64; }
  static auto pack(const KernelTable& t) { return t.gemm_pack_f64; }
  static auto pack_a(const KernelTable& t) { return t.gemm_pack_a_f64; }
  static auto thin(const KernelTable& t) { return t.gemm_thin_f64; }
  static auto dot(const KernelTable& t) { return t.gemm_dot_f64; }
};
template <>
struct Kernels<std::uint16_t> {  // bfloat16
  using Word = std::uint32_t;
  using Sum = float;
  static constexpr std::int64_t kDepth = 2;
  static auto block(const GemmPlan& plan) {
    return plan.bf16_dot ? plan.table->gemm_block_bf16_dot : plan.table->gemm_block_bf16;
  }
  static auto pack(const KernelTable& t) { return t.gemm_pack_bf16; }
  static auto pack_a(const KernelTable& t) { return t.gemm_pack_a_bf16; }
};

void finish(const GemmEpilogue* epilogue, std::int64_t row, std::int64_t rows, std::int64_t col,
            std::int64_t cols, int thread) {
  if (epilogue != nullptr) epilogue->fn(epilogue->context, row, row + rows, col, col + cols, thread);
}

// A block of A or B as gemm_block wants it: where it lies, or (ld = 0) packed.
template <class T>
struct Operand {
  const T* at;
  std::int64_t ld;
};

// Words [p, p + kc) of k.
template <class T, class Word = typename Kernels<T>::Word>
Operand<Word> prepare_b(const GemmPlan& plan, const T* b, std::int64_t p, std::int64_t kc, std::int64_t j,
                        std::int64_t cols, Word* panels) {
  const GemmProblem& q = plan.problem;
  p *= Kernels<T>::kDepth;
  b += q.trans_b ? j * q.ldb + p : p * q.ldb + j;
  if constexpr (std::is_same_v<T, Word>) {
    if ((plan.path & kGemmPackB) == 0) return {b, q.ldb};
  }
  const std::int64_t k = std::min(kc * Kernels<T>::kDepth, q.k - p);
  Kernels<T>::pack (*plan.table)(cols, k, b, q.ldb, q.trans_b, panels);
  return {panels, 0};
}

template <class T, class Word = typename Kernels<T>::Word>
Operand<Word> prepare_a(const GemmPlan& plan, const T* a, std::int64_t i, std::int64_t rows, std::int64_t p,
                        std::int64_t kc, Word* panels) {
  const GemmProblem& q = plan.problem;
  p *= Kernels<T>::kDepth;
  a += q.trans_a ? p * q.lda + i : i * q.lda + p;
  if constexpr (std::is_same_v<T, Word>) {
    if ((plan.path & kGemmPackA) == 0) return {a, q.lda};
  }
  const std::int64_t k = std::min(kc * Kernels<T>::kDepth, q.k - p);
  Kernels<T>::pack_a (*plan.table)(rows, k, a, q.lda, q.trans_a, panels);
  return {panels, 0};
}

template <class T>
void run_tasks(const GemmPlan& plan, const T* a, const T* b, typename Kernels<T>::Sum* c, void* scratch,
               const GemmEpilogue* epilogue) {
  using Word = typename Kernels<T>::Word;
  const GemmProblem& q = plan.problem;
  const auto block = Kernels<T>::block(plan);
  const std::int64_t depth = div_up(q.k, Kernels<T>::kDepth);
  const std::int64_t across = div_up(q.n, plan.nc);
  parallel_for(plan.threads, div_up(q.m, plan.mc) * across, [&](std::int64_t task, int thread) {
    const std::int64_t i = task / across * plan.mc, j = task % across * plan.nc;
    const std::int64_t i_end = std::min(i + plan.mc, q.m), cols = std::min(plan.nc, q.n - j);
    std::byte* const own = static_cast<std::byte*>(scratch) + plan.thread_bytes * thread;
    Word* const panels_of_b = reinterpret_cast<Word*>(own);
    Word* const panels_of_a = reinterpret_cast<Word*>(own + plan.panels_of_b);
    for (std::int64_t p = 0; p < depth; p += plan.kc) {
      const std::int64_t kc = std::min(plan.kc, depth - p);
      const bool last = p + kc == depth;
      const std::int64_t strip = last && epilogue != nullptr ? plan.strip : cols;
      const Operand<Word> right = prepare_b(plan, b, p, kc, j, cols, panels_of_b);
      for (std::int64_t r = i; r < i_end; r += plan.ma) {
        if (plan.interruptible && interrupted()) return;
        const std::int64_t rows = std::min(plan.ma, i_end - r);
        const Operand<Word> left = prepare_a(plan, a, r, rows, p, kc, panels_of_a);
        for (std::int64_t s = 0; s < cols; s += strip) {
          const std::int64_t width = std::min(strip, cols - s);
          const Word* const columns = right.at + (right.ld == 0 ? s * kc : s);
          block(rows, width, kc, left.at, left.ld, q.trans_a, columns, right.ld, c + r * q.ldc + j + s, q.ldc,
                p > 0);
          if (last) finish(epilogue, r, rows, j + s, width, thread);
        }
      }
    }
  });
}

// One task, one block (all of an empty k, too): tiny products spend their time here, not in the walk above.
template <class T>
void run_whole(const GemmPlan& plan, const T* a, const T* b, T* c, T* scratch, const GemmEpilogue* epilogue) {
  const GemmProblem& q = plan.problem;
  const Operand<T> right = prepare_b(plan, b, 0, q.k, 0, q.n, scratch);
  Kernels<T>::block(plan)(q.m, q.n, q.k, a, q.lda, q.trans_a, right.at, right.ld, c, q.ldc, false);
  finish(epilogue, 0, q.m, 0, q.n, 0);
}

// C[i, j] = block[j * rows + i], in squares that stay in L1.
template <class T>
void turn(const T* block, std::int64_t rows, std::int64_t cols, T* c, std::int64_t ldc) {
  constexpr std::int64_t kSquare = 16;
  for (std::int64_t i = 0; i < rows; i += kSquare) {
    for (std::int64_t j = 0; j < cols; j += kSquare) {
      const std::int64_t i_end = std::min(i + kSquare, rows), j_end = std::min(j + kSquare, cols);
      for (std::int64_t r = i; r < i_end; ++r) {
        for (std::int64_t s = j; s < j_end; ++s) c[r * ldc + s] = block[s * rows + r];
      }
    }
  }
}

// C's transpose is B's times A's, and a transposed A lies as the right operand should.
template <class T>
void run_turned(const GemmPlan& plan, const T* a, const T* b, T* c, void* scratch,
                const GemmEpilogue* epilogue) {
  const GemmProblem& q = plan.problem;
  const auto block = Kernels<T>::block(plan);
  const std::int64_t across = div_up(q.n, plan.nc);
  parallel_for(plan.threads, div_up(q.m, plan.mc) * across, [&](std::int64_t task, int thread) {
    const std::int64_t i = task / across * plan.mc, j = task % across * plan.nc;
    const std::int64_t rows = std::min(plan.mc, q.m - i), cols = std::min(plan.nc, q.n - j);
    T* const turned = reinterpret_cast<T*>(static_cast<std::byte*>(scratch) + plan.thread_bytes * thread);
    for (std::int64_t p = 0; p < q.k; p += plan.kc) {
      if (plan.interruptible && interrupted()) return;
      const T* const left = b + (q.trans_b ? j * q.ldb + p : p * q.ldb + j);
      const T* const right = a + p * q.lda + i;
      block(cols, rows, std::min(plan.kc, q.k - p), left, q.ldb, !q.trans_b, right, q.lda, turned, rows,
            p > 0);
    }
    turn(turned, rows, cols, c + i * q.ldc + j, q.ldc);
    finish(epilogue, i, rows, j, cols, thread);
  });
}

// The long side is cut into tasks of mc lines, which are rows of C (short side: its columns) or columns.
template <class T>
void run_thin(const GemmPlan& plan, const T* a, const T* b, T* c, const GemmEpilogue* epilogue) {
  const GemmProblem& q = plan.problem;
  const auto thin = Kernels<T>::thin(*plan.table);
  const bool along_rows = (plan.path & kGemmThinCols) != 0;
  const std::int64_t lines = along_rows ? q.m : q.n, step = along_rows ? plan.mc : plan.nc;
  parallel_for(plan.threads, div_up(lines, step), [&](std::int64_t task, int thread) {
    if (plan.interruptible && interrupted()) return;
    const std::int64_t at = task * step, count = std::min(step, lines - at);
    if (along_rows) {
      thin(count, q.n, q.k, a + at * (q.trans_a ? 1 : q.lda), q.lda, !q.trans_a, b, q.trans_b ? 1 : q.ldb,
           q.trans_b ? q.ldb : 1, c + at * q.ldc, q.ldc, 1);
      finish(epilogue, at, count, 0, q.n, thread);
    } else {
      thin(count, q.m, q.k, b + at * (q.trans_b ? q.ldb : 1), q.ldb, q.trans_b, a, q.trans_a ? q.lda : 1,
           q.trans_a ? 1 : q.lda, c + at, 1, q.ldc);
      finish(epilogue, 0, q.m, at, count, thread);
    }
  });
}

// The matrix's lines are cut into tasks. The vector is copied where its elements are apart.
template <class T>
void run_dots(const GemmPlan& plan, const T* a, const T* b, T* c, T* scratch, const GemmEpilogue* epilogue) {
  const GemmProblem& q = plan.problem;
  const auto dot = Kernels<T>::dot(*plan.table);
  const bool rows = has_lines_of_a(q);
  const std::int64_t lines = rows ? q.m : q.n, step = rows ? plan.mc : plan.nc;
  const std::int64_t ld = rows ? q.lda : q.ldb, c_step = rows ? q.ldc : 1;
  const T* const x = rows ? a : b;
  const T* y = rows ? b : a;
  if (plan.scratch_bytes > 0) {
    const std::int64_t apart = rows ? q.ldb : q.lda;
    for (std::int64_t p = 0; p < q.k; ++p) scratch[p] = y[p * apart];
    y = scratch;
  }
  parallel_for(plan.threads, div_up(lines, step), [&](std::int64_t task, int thread) {
    if (plan.interruptible && interrupted()) return;
    const std::int64_t at = task * step, count = std::min(step, lines - at);
    dot(count, q.k, x + at * ld, ld, y, c + at * c_step, c_step);
    finish(epilogue, rows ? at : 0, rows ? count : 1, rows ? 0 : at, rows ? 1 : count, thread);
  });
}

template <class T>
void run(const GemmPlan& plan, const void* a_bytes, const void* b_bytes, void* c_bytes, void* scratch,
         const GemmEpilogue* epilogue) {
  const T* const a = static_cast<const T*>(a_bytes);
  const T* const b = static_cast<const T*>(b_bytes);
  T* const c = static_cast<T*>(c_bytes);
  if ((plan.path & kGemmDots) != 0) {
    run_dots(plan, a, b, c, static_cast<T*>(scratch), epilogue);
  } else if ((plan.path & (kGemmThinCols | kGemmThinRows)) != 0) {
    run_thin(plan, a, b, c, epilogue);
  } else if ((plan.path & kGemmTurned) != 0) {
    run_turned(plan, a, b, c, scratch, epilogue);
  } else if ((plan.path & kGemmWhole) != 0) {
    run_whole(plan, a, b, c, static_cast<T*>(scratch), epilogue);
  } else {
    run_tasks(plan, a, b, c, scratch, epilogue);
  }
}

// Unsigned, so that overflow wraps around as NumPy's does.
template <class T>
void run_integer(const GemmPlan& plan, const void* a_bytes, const void* b_bytes, void* c_bytes,
                 const GemmEpilogue* epilogue) {
  const GemmProblem& q = plan.problem;
  const T* const a = static_cast<const T*>(a_bytes);
  const T* const b = static_cast<const T*>(b_bytes);
  for (std::int64_t i = 0; i < q.m; ++i) {
    if (plan.interruptible && interrupted()) return;
    T* const c = static_cast<T*>(c_bytes) + i * q.ldc;
    std::fill(c, c + q.n, T(0));
    for (std::int64_t p = 0; p < q.k; ++p) {
      const T left = q.trans_a ? a[p * q.lda + i] : a[i * q.lda + p];
      for (std::int64_t j = 0; j < q.n; ++j) c[j] += left * (q.trans_b ? b[j * q.ldb + p] : b[p * q.ldb + j]);
    }
  }
  finish(epilogue, 0, q.m, 0, q.n, 0);
}

}  // namespace

void gemm_run(const GemmPlan& plan, const void* a, const void* b, void* c, void* scratch,
              const GemmEpilogue* epilogue) {
  if (plan.path == kGemmEmpty) return;
  if (plan.problem.bf16) {
    return run_tasks(plan, static_cast<const std::uint16_t*>(a), static_cast<const std::uint16_t*>(b),
                     static_cast<float*>(c), scratch, epilogue);
  }
  switch (plan.problem.dtype) {
    case DType::f32:
      return run<float>(plan, a, b, c, scratch, epilogue);
    case DType::f64:
      return run<double>(plan, a, b, c, scratch, epilogue);
    case DType::i32:
      return run_integer<std::uint32_t>(plan, a, b, c, epilogue);
    case DType::i64:
      return run_integer<std::uint64_t>(plan, a, b, c, epilogue);
    default:
      return;  // refused by gemm_plan
  }
}

}  // namespace ranvier
