// Chooses how a product is run. The path depends on the problem and on the instruction set's register tile
// only; max_threads bounds the threads and shapes the tasks they share.
#include <algorithm>

#include "base/status.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/gemm_path.h"

namespace ranvier {
namespace {

constexpr std::int64_t kDepth = 256;                  // kc: a tile's panels of A and B share L1
constexpr std::int64_t kSharedBlock = 2 << 20;        // bytes of a packed kc x n_pass block of B: L2 and some L3
constexpr std::int64_t kSharedPass = 8 << 20;         // bytes of a packed k_pass x n_pass of B
constexpr double kNanosecondsPerThread = 4000;        // work that repays waking a thread (a fork-join takes about 1 us)
constexpr double kCyclesPerNanosecond = 4;
constexpr double kBytesPerNanosecond = 24;            // from memory, one core

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

// Estimated time on one core: two multiply-adds of a vector per cycle, or the operands from memory.
double nanoseconds(const GemmPlan& plan) {
  const GemmProblem& q = plan.problem;
  const double m = static_cast<double>(q.m), n = static_cast<double>(q.n), k = static_cast<double>(q.k);
  const double lanes = static_cast<double>(plan.tile_cols) / 2;
  const double lane_use = (plan.path & kGemmThin) != 0 ? 0.25 : n / (lanes * static_cast<double>(div_up(q.n, plan.tile_cols / 2)));
  const double compute = m * n * k / (2 * lanes * lane_use) / kCyclesPerNanosecond;
  const double bytes = (m * k + k * n + m * n) * static_cast<double>(size_of(q.dtype));
  return std::max(compute, bytes / kBytesPerNanosecond);
}

// Cuts `total` into about `parts` equal pieces of at least `least`; returns the piece.
std::int64_t piece(std::int64_t total, std::int64_t parts, std::int64_t least) {
  return std::min(total, std::max(div_up(total, std::max<std::int64_t>(parts, 1)), least));
}

void choose_path(GemmPlan& plan) {
  const GemmProblem& q = plan.problem;
  const std::int64_t b_bytes = q.k * q.n * static_cast<std::int64_t>(size_of(q.dtype));
  const bool thin_cols = q.n <= 4 && q.m >= 2 * q.n;
  const bool thin_rows = q.m <= 4 && q.trans_b;
  if (q.k == 0) return;  // zeros: in place
  if (thin_cols || thin_rows) {
    plan.path = thin_cols ? kGemmThinCols : kGemmThinRows;
    return;
  }
  const bool pack_b = q.trans_b || (q.m > 2 * plan.tile_rows && b_bytes > 128 * 1024);
  const bool pack_a = q.n > 4 * plan.tile_cols && q.m > 4;
  plan.path = pack_a ? kGemmPackA : 0;
  if (pack_b) plan.path |= q.m > 8 * plan.tile_rows ? kGemmShareB : kGemmPackB;
}

void choose_blocks(GemmPlan& plan, int max_threads) {
  const GemmProblem& q = plan.problem;
  const std::int64_t size = static_cast<std::int64_t>(size_of(q.dtype));
  const double useful = nanoseconds(plan) / kNanosecondsPerThread;
  plan.threads = static_cast<int>(std::clamp(useful, 1.0, static_cast<double>(std::max(max_threads, 1))));
  plan.kc = std::min(q.k, kDepth);
  plan.mc = q.m, plan.nc = q.n, plan.n_pass = q.n, plan.k_pass = q.k;
  const std::int64_t parts = plan.threads == 1 ? 1 : 4 * plan.threads;
  if ((plan.path & kGemmThinCols) != 0) {
    plan.mc = std::min(q.m, round_up(piece(q.m, parts, 64), 64));
  } else if ((plan.path & kGemmThinRows) != 0) {
    plan.nc = std::min(q.n, round_up(piece(q.n, parts, 64), 64));
  } else if ((plan.path & kGemmShareB) != 0) {
    plan.n_pass = std::min(q.n, kSharedBlock / (plan.kc * size) / plan.tile_cols * plan.tile_cols);
    plan.k_pass = std::min(q.k, std::max<std::int64_t>(kSharedPass / (plan.n_pass * size) / plan.kc, 1) * plan.kc);
    plan.mc = std::min(piece(q.m, parts, 4 * plan.tile_rows), 16 * plan.tile_rows);
    plan.nc = plan.n_pass;
  } else if ((plan.path & kGemmPackB) != 0) {
    plan.nc = std::min(round_up(piece(q.n, parts, 2 * plan.tile_cols), plan.tile_cols), 8 * plan.tile_cols);
  } else {
    // Rows of enough elements that the epilogue's call is nothing, few enough that they are still in L2.
    const std::int64_t rows = std::max<std::int64_t>(32768 / q.n, plan.tile_rows);
    plan.mc = std::min(piece(q.m, parts, plan.tile_rows), round_up(rows, plan.tile_rows));
    const std::int64_t row_parts = div_up(q.m, plan.mc);
    if (row_parts < parts) plan.nc = std::min(q.n, round_up(piece(q.n, div_up(parts, row_parts), plan.tile_cols), plan.tile_cols));
    if (plan.path == 0 && q.k * plan.nc * size <= 128 * 1024) plan.kc = q.k;
  }
}

// Tasks bound the threads; scratch is the shared B, then each thread's blocks.
void book(GemmPlan& plan) {
  const GemmProblem& q = plan.problem;
  const std::int64_t tasks = div_up(q.m, plan.mc) * div_up(plan.n_pass, plan.nc);
  plan.threads = static_cast<int>(std::min<std::int64_t>(plan.threads, tasks));
  if ((plan.path & (kGemmThin | kGemmShareB)) == 0 && tasks == 1 && plan.kc == q.k) plan.path |= kGemmWhole;
  std::int64_t own = 0, shared = 0;
  if ((plan.path & kGemmPackA) != 0) own += round_up((plan.mc + plan.tile_rows) * plan.kc, 64);
  if ((plan.path & kGemmPackB) != 0) own += round_up(round_up(plan.nc, plan.tile_cols) * plan.kc, 64);
  if ((plan.path & kGemmShareB) != 0) shared = round_up(round_up(plan.n_pass, plan.tile_cols) * plan.k_pass, 64);
  const std::size_t size = size_of(q.dtype);
  plan.thread_bytes = static_cast<std::size_t>(own) * size;
  plan.scratch_bytes = plan.thread_bytes * static_cast<std::size_t>(plan.threads) + static_cast<std::size_t>(shared) * size;
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
  choose_path(plan);
  choose_blocks(plan, max_threads);
  book(plan);
  return plan;
}

}  // namespace ranvier
