// Chooses how a product is run. The path and the blocks depend on the problem and on the instruction set's
// register tile; max_threads only bounds the threads and the scratch they need.
#include <algorithm>

#include "base/status.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/gemm_path.h"

namespace ranvier {
namespace {

constexpr std::int64_t kDepth = 256;  // kc: a panel of B (kc x tile_cols) takes 2/3 of L1

std::int64_t round_up(std::int64_t x, std::int64_t to) { return (x + to - 1) / to * to; }
std::int64_t div_up(std::int64_t x, std::int64_t by) { return (x + by - 1) / by; }

void check(const GemmProblem& q) {
  require(q.dtype == DType::f32 || q.dtype == DType::f64 || q.dtype == DType::i32 || q.dtype == DType::i64,
          "gemm: expected float32, float64, int32 or int64, got ", name_of(q.dtype));
  require(q.m >= 0 && q.n >= 0 && q.k >= 0, "gemm: negative size: m=", q.m, " n=", q.n, " k=", q.k);
  require(q.lda >= (q.trans_a ? q.m : q.k), "gemm: lda=", q.lda, " is less than a row of A");
  require(q.ldb >= (q.trans_b ? q.k : q.n), "gemm: ldb=", q.ldb, " is less than a row of B");
  require(q.ldc >= q.n, "gemm: ldc=", q.ldc, " is less than a row of C, n=", q.n);
}

int choose_threads(const GemmProblem& q, int max_threads) {
  const double work = static_cast<double>(q.m) * static_cast<double>(q.n) * static_cast<double>(q.k);
  return static_cast<int>(std::clamp(work / 1e6, 1.0, static_cast<double>(std::max(max_threads, 1))));
}

void choose_path(GemmPlan& plan) {
  const GemmProblem& q = plan.problem;
  const bool pack_a = q.n > 64 && q.m > 4;
  const bool pack_b = q.trans_b || (q.m > 64 && q.n > 64 && q.k > 64);
  plan.kc = std::min(q.k, kDepth);
  plan.mc = std::min(q.m, plan.tile_rows * 12);
  plan.nc = std::min(q.n, plan.tile_cols * 8);
  plan.n_pass = q.n;
  plan.k_pass = q.k;
  plan.path = pack_a ? kGemmPackA : kGemmInPlace;
  if (pack_b && q.m > plan.mc) {
    plan.path |= kGemmShareB;
    plan.n_pass = std::min(q.n, plan.tile_cols * 64);
    plan.k_pass = plan.kc;
    plan.nc = plan.n_pass;
  } else if (pack_b) {
    plan.path |= kGemmPackB;
  }
}

}  // namespace

GemmPlan gemm_plan(const GemmProblem& problem, int max_threads, const KernelTable& table) {
  check(problem);
  GemmPlan plan;
  plan.problem = problem;
  plan.table = &table;
  if (problem.m == 0 || problem.n == 0) {
    plan.path = kGemmEmpty;
    return plan;
  }
  if (!is_float(problem.dtype)) {
    plan.path = kGemmInteger;
    return plan;
  }
  table.gemm_tile_shape(problem.dtype, &plan.tile_rows, &plan.tile_cols);
  plan.threads = choose_threads(problem, max_threads);
  choose_path(plan);

  const std::int64_t tasks = div_up(problem.m, plan.mc) * div_up(plan.n_pass, plan.nc);
  plan.threads = static_cast<int>(std::min<std::int64_t>(plan.threads, tasks));
  if (plan.path == kGemmInPlace && tasks == 1 && plan.kc == problem.k) plan.path = kGemmWhole;
  const std::size_t size = size_of(problem.dtype);
  const std::int64_t a_elements =
      (plan.path & kGemmPackA) != 0 ? round_up(plan.mc + plan.tile_rows, 16) * plan.kc : 0;
  const std::int64_t b_elements = (plan.path & kGemmPackB) != 0 ? round_up(plan.nc, plan.tile_cols) * plan.kc : 0;
  const std::int64_t shared =
      (plan.path & kGemmShareB) != 0 ? round_up(plan.n_pass, plan.tile_cols) * plan.k_pass : 0;
  plan.thread_bytes = static_cast<std::size_t>(round_up(a_elements, 64) + round_up(b_elements, 64)) * size;
  plan.scratch_bytes = plan.thread_bytes * static_cast<std::size_t>(plan.threads) +
                       static_cast<std::size_t>(round_up(shared, 64)) * size;
  return plan;
}

}  // namespace ranvier
