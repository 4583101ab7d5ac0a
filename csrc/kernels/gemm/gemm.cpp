// Runs a planned product: walks the blocks, packs where the plan says so, calls the table's kernels. Nothing
// is chosen and nothing is allocated here.
//
// Scratch: the shared panels of B (if any), then one piece per thread: its block of A, its block of B.
#include "kernels/gemm/gemm.h"

#include <algorithm>

#include "base/threading.h"
#include "kernels/gemm/gemm_path.h"

namespace ranvier {
namespace {

constexpr std::int64_t kPanelsPerPack = 8;  // of a shared B, in one task: long runs of its rows

std::int64_t div_up(std::int64_t x, std::int64_t by) { return (x + by - 1) / by; }
std::int64_t round_up(std::int64_t x, std::int64_t to) { return div_up(x, to) * to; }

template <class T>
struct Kernels;
template <>
struct Kernels<float> {
  static auto block(const KernelTable& t) { return t.gemm_block_f32; }
  static auto pack(const KernelTable& t) { return t.gemm_pack_f32; }
  static auto thin(const KernelTable& t) { return t.gemm_thin_f32; }
};
template <>
struct Kernels<double> {
  static auto block(const KernelTable& t) { return t.gemm_block_f64; }
  static auto pack(const KernelTable& t) { return t.gemm_pack_f64; }
  static auto thin(const KernelTable& t) { return t.gemm_thin_f64; }
};

void finish(const GemmEpilogue* epilogue, std::int64_t row, std::int64_t rows, std::int64_t col, std::int64_t cols,
            int thread) {
  if (epilogue != nullptr) epilogue->fn(epilogue->context, row, row + rows, col, col + cols, thread);
}

template <class T>
class Run {
 public:
  Run(const GemmPlan& plan, const T* a, const T* b, T* c, void* scratch, const GemmEpilogue* epilogue)
      : plan_(plan), q_(plan.problem), a_(a), b_(b), c_(c), epilogue_(epilogue),
        block_(Kernels<T>::block(*plan.table)), pack_(Kernels<T>::pack(*plan.table)),
        thread_scratch_(static_cast<T*>(scratch)) {
    if (has(kGemmShareB)) {
      shared_b_ = thread_scratch_;
      thread_scratch_ += round_up(round_up(plan.n_pass, plan.tile_cols) * plan.k_pass, 64);
    }
  }

  void all() {
    for (std::int64_t j = 0; j < q_.n; j += plan_.n_pass) {
      const std::int64_t cols = std::min(plan_.n_pass, q_.n - j);
      std::int64_t p = 0;
      do {
        const std::int64_t depth = std::min(plan_.k_pass, q_.k - p);
        if (interrupted()) return;
        if (has(kGemmShareB)) pack_shared_b(j, cols, p, depth);
        const std::int64_t across = div_up(cols, plan_.nc);
        parallel_for(plan_.threads, div_up(q_.m, plan_.mc) * across, [&](std::int64_t task, int thread) {
          run_task(task / across * plan_.mc, j, task % across * plan_.nc, cols, p, depth, thread);
        });
        p += depth;
      } while (p < q_.k);
    }
  }

 private:
  bool has(int bit) const { return (plan_.path & bit) != 0; }
  const T* b_at(std::int64_t p, std::int64_t j) const {
    return q_.trans_b ? b_ + j * q_.ldb + p : b_ + p * q_.ldb + j;
  }

  // Panels of the pass, kc block by kc block: block p starts at p * (padded columns).
  void pack_shared_b(std::int64_t j, std::int64_t cols, std::int64_t p0, std::int64_t depth) {
    const std::int64_t width = plan_.tile_cols, padded = round_up(cols, width);
    const std::int64_t group = kPanelsPerPack * width, across = div_up(cols, group);
    parallel_for(plan_.threads, div_up(depth, plan_.kc) * across, [&](std::int64_t task, int) {
      const std::int64_t q = task % across * group, p = task / across * plan_.kc;
      const std::int64_t kc = std::min(plan_.kc, depth - p);
      pack_(std::min(group, cols - q), kc, width, b_at(p0 + p, j + q), q_.ldb, q_.trans_b,
            shared_b_ + p * padded + q * kc);
    });
  }

  // Rows from i, columns from j0 + j (of the pass that starts at j0), k in [p0, p0 + depth).
  void run_task(std::int64_t i, std::int64_t j0, std::int64_t j, std::int64_t pass_cols, std::int64_t p0,
                std::int64_t depth, int thread) {
    const std::int64_t rows = std::min(plan_.mc, q_.m - i), cols = std::min(plan_.nc, pass_cols - j);
    T* const own = thread_scratch_ + static_cast<std::size_t>(thread) * plan_.thread_bytes / sizeof(T);
    const std::int64_t row_tiles = div_up(rows, plan_.tile_rows), width = div_up(rows, row_tiles);
    T* const c = c_ + i * q_.ldc + j0 + j;
    std::int64_t p = 0;
    do {
      if (interrupted()) return;
      const std::int64_t kc = std::min(plan_.kc, depth - p), at = p0 + p;
      const T* a = q_.trans_a ? a_ + at * q_.lda + i : a_ + i * q_.lda + at;
      std::int64_t lda = q_.lda;
      int a_form = q_.trans_a ? 1 : 0;
      T* free = own;
      if (has(kGemmPackA)) {
        pack_(rows, kc, width, a, lda, !q_.trans_a, free);
        a = free, lda = width, a_form = 2;
        free += round_up(row_tiles * width * kc, 64);
      }
      const T* b = b_at(at, j0 + j);
      std::int64_t ldb = q_.ldb;
      if (has(kGemmShareB)) {
        b = shared_b_ + p * round_up(pass_cols, plan_.tile_cols) + j * kc, ldb = 0;
      } else if (has(kGemmPackB)) {
        pack_(cols, kc, plan_.tile_cols, b, ldb, q_.trans_b, free);
        b = free, ldb = 0;
      }
      block_(rows, cols, kc, a, lda, a_form, b, ldb, c, q_.ldc, at > 0);
      p += kc;
    } while (p < depth);
    if (p0 + depth == q_.k) finish(epilogue_, i, rows, j0 + j, cols, thread);
  }

  const GemmPlan& plan_;
  const GemmProblem& q_;
  const T* a_;
  const T* b_;
  T* c_;
  const GemmEpilogue* epilogue_;
  decltype(Kernels<T>::block(KernelTable{})) block_;
  decltype(Kernels<T>::pack(KernelTable{})) pack_;
  T* shared_b_ = nullptr;
  T* thread_scratch_;
};

// One task, one block: tiny products spend their time here, not in the walk above.
template <class T>
void run_whole(const GemmPlan& plan, const T* a, const T* b, T* c, T* scratch, const GemmEpilogue* epilogue) {
  const GemmProblem& q = plan.problem;
  std::int64_t lda = q.lda, ldb = q.ldb;
  int a_form = q.trans_a ? 1 : 0;
  if ((plan.path & kGemmPackA) != 0) {
    const std::int64_t row_tiles = div_up(q.m, plan.tile_rows), width = div_up(q.m, row_tiles);
    Kernels<T>::pack(*plan.table)(q.m, q.k, width, a, lda, !q.trans_a, scratch);
    a = scratch, lda = width, a_form = 2;
    scratch += round_up(row_tiles * width * q.k, 64);
  }
  if ((plan.path & kGemmPackB) != 0) {
    Kernels<T>::pack(*plan.table)(q.n, q.k, plan.tile_cols, b, ldb, q.trans_b, scratch);
    b = scratch, ldb = 0;
  }
  Kernels<T>::block(*plan.table)(q.m, q.n, q.k, a, lda, a_form, b, ldb, c, q.ldc, false);
  finish(epilogue, 0, q.m, 0, q.n, 0);
}

// The long side is cut into tasks of mc lines, which are rows of C (short side: its columns) or columns.
template <class T>
void run_thin(const GemmPlan& plan, const T* a, const T* b, T* c, const GemmEpilogue* epilogue) {
  const GemmProblem& q = plan.problem;
  const auto thin = Kernels<T>::thin(*plan.table);
  const bool along_rows = (plan.path & kGemmThinCols) != 0;
  const std::int64_t lines = along_rows ? q.m : q.n, step = along_rows ? plan.mc : plan.nc;
  parallel_for(plan.threads, div_up(lines, step), [&](std::int64_t task, int thread) {
    if (interrupted()) return;
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

template <class T>
void run(const GemmPlan& plan, const void* a_bytes, const void* b_bytes, void* c_bytes, void* scratch,
         const GemmEpilogue* epilogue) {
  const T* const a = static_cast<const T*>(a_bytes);
  const T* const b = static_cast<const T*>(b_bytes);
  T* const c = static_cast<T*>(c_bytes);
  if ((plan.path & kGemmThin) != 0) {
    run_thin(plan, a, b, c, epilogue);
  } else if ((plan.path & kGemmWhole) != 0) {
    run_whole(plan, a, b, c, static_cast<T*>(scratch), epilogue);
  } else {
    Run<T>(plan, a, b, c, scratch, epilogue).all();
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
    if (interrupted()) return;
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
  switch (plan.problem.dtype) {
    case DType::f32: return run<float>(plan, a, b, c, scratch, epilogue);
    case DType::f64: return run<double>(plan, a, b, c, scratch, epilogue);
    case DType::i32: return run_integer<std::uint32_t>(plan, a, b, c, epilogue);
    case DType::i64: return run_integer<std::uint64_t>(plan, a, b, c, epilogue);
    default: return;  // refused by gemm_plan
  }
}

}  // namespace ranvier
