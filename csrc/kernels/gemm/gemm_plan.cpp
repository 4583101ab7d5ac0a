// Chooses how a product is run. The path depends on the problem and on the instruction set's register tile
// only; max_threads bounds the threads and shapes the tasks they share.
#include <algorithm>

#include "base/status.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/gemm_path.h"

namespace ranvier {
namespace {

// Measured on Zen 5 (48 KiB of L1, 1 MiB of L2 per core), chosen to hold for 32 KiB and 512 KiB too.
constexpr std::int64_t kDepth = 512;             // kc under a packed B
constexpr std::int64_t kLocalB = 1 << 20;        // a B (or a block of it) that is best read where it lies
constexpr std::int64_t kStreamedB = 16 << 20;    // a B that comes from memory
constexpr std::int64_t kSharedBlock = 1 << 19;   // a packed kc x n_pass block of B: half of L2
constexpr std::int64_t kSharedBlockPackedA = 2 << 20;  // the same where A is packed once per pass: fewer passes
constexpr std::int64_t kSharedPass = 8 << 20;    // a packed k_pass x n_pass of B
constexpr std::int64_t kBlockOfC = 32 * 1024;    // elements, at least, between two calls of the epilogue
constexpr double kNanosecondsPerThread = 4000;   // work that repays waking a thread (a fork-join is about 1 us)
constexpr double kCyclesPerNanosecond = 4;
constexpr double kBytesPerNanosecond = 24;       // from memory, one core

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

// A B that lies as the tiles read it is copied only where it is large, and read again for many rows.
bool packs_plain_b(const GemmPlan& plan) {
  const GemmProblem& q = plan.problem;
  const std::int64_t row_bytes = q.n * static_cast<std::int64_t>(size_of(q.dtype)), bytes = q.k * row_bytes;
  if (bytes <= kLocalB || 256 * row_bytes <= kLocalB * 3 / 4) return false;
  return q.m > (bytes < kStreamedB ? 4 : 2) * plan.tile_rows;
}

// Packing A pays where many columns share it, the sooner if its lines lie across k, a page or more apart.
bool packs_a(const GemmProblem& q) { return q.k > 128 && q.n >= (q.trans_a ? 768 : 4096); }

void choose_path(GemmPlan& plan) {
  const GemmProblem& q = plan.problem;
  if (q.k == 0) return;  // zeros: in place
  if (q.n <= 4 && q.m >= 2 * q.n) {
    plan.path = kGemmThinCols;
  } else if (q.m <= 4 && q.trans_b) {
    plan.path = kGemmThinRows;
  } else if (q.trans_b || packs_plain_b(plan)) {
    plan.path = q.m > 16 * plan.tile_rows ? kGemmShareB : kGemmPackB;
    if (plan.path == kGemmShareB && packs_a(q)) plan.path |= kGemmPackA;
  }
}

// The threads share a packed B, a pass of it at a time; tasks are rows.
void block_shared(GemmPlan& plan, std::int64_t parts) {
  const GemmProblem& q = plan.problem;
  const std::int64_t size = static_cast<std::int64_t>(size_of(q.dtype)), width = plan.tile_cols;
  const std::int64_t block = (plan.path & kGemmPackA) != 0 ? kSharedBlockPackedA : kSharedBlock;
  plan.kc = piece(q.k, div_up(q.k, kDepth), 1);
  plan.n_pass = std::min(q.n, std::max(block / (plan.kc * size) / width, std::int64_t{1}) * width);
  plan.k_pass = std::min(q.k, std::max(kSharedPass / (plan.n_pass * size) / plan.kc, std::int64_t{1}) * plan.kc);
  plan.mc = std::min(piece(q.m, parts, 4 * plan.tile_rows), 16 * plan.tile_rows);
  plan.nc = plan.n_pass;
}

// Few rows: each task packs the few columns it needs, which no other task would share. Turning a transposed B
// wants long runs along k, copying one wants long rows.
void block_private(GemmPlan& plan, std::int64_t parts) {
  const GemmProblem& q = plan.problem;
  const std::int64_t size = static_cast<std::int64_t>(size_of(q.dtype)), width = plan.tile_cols;
  plan.kc = std::min(q.k, (q.trans_b ? 4096 : 2048) / size);
  plan.nc = std::min({q.n, round_up(div_up(q.n, parts), width), (q.trans_b ? 2 : 8) * width});
}

// Both operands where they lie.
void block_in_place(GemmPlan& plan, std::int64_t parts) {
  const GemmProblem& q = plan.problem;
  const std::int64_t row_bytes = q.n * static_cast<std::int64_t>(size_of(q.dtype)), b_bytes = q.k * row_bytes;
  if (b_bytes > kLocalB) {
    // Against few rows a large B goes by once, at the speed of memory: a few of its rows at a time, whole.
    const bool stream = q.m <= 2 * plan.tile_rows && b_bytes > (q.m == 1 ? kStreamedB / 8 : kStreamedB);
    plan.kc = stream ? 8 : q.m <= 4 * plan.tile_rows ? q.k : 256;
  }
  // A transposed A is read along its rows: the more of C's rows in a task, the longer the runs.
  const std::int64_t rows = std::max(kBlockOfC * (q.trans_a ? 8 : 1) / q.n, 16 * plan.tile_rows);
  plan.mc = std::min(piece(q.m, parts, plan.tile_rows), rows);
  const std::int64_t row_parts = div_up(q.m, plan.mc);
  if (row_parts < parts) {
    plan.nc = std::min(q.n, round_up(piece(q.n, div_up(parts, row_parts), plan.tile_cols), plan.tile_cols));
  }
}

void choose_blocks(GemmPlan& plan, int max_threads) {
  const GemmProblem& q = plan.problem;
  const double useful = nanoseconds(plan) / kNanosecondsPerThread;
  plan.threads = static_cast<int>(std::clamp(useful, 1.0, static_cast<double>(std::max(max_threads, 1))));
  plan.mc = q.m, plan.nc = q.n, plan.kc = q.k, plan.n_pass = q.n, plan.k_pass = q.k;
  const std::int64_t parts = plan.threads == 1 ? 1 : 4 * plan.threads;  // some more, as cores are never all equal
  if ((plan.path & kGemmThinCols) != 0) {
    plan.mc = std::min(q.m, round_up(piece(q.m, parts, 1), 64));
  } else if ((plan.path & kGemmThinRows) != 0) {
    plan.nc = std::min(q.n, round_up(piece(q.n, parts, 1), 64));
  } else if ((plan.path & kGemmShareB) != 0) {
    block_shared(plan, parts);
  } else if ((plan.path & kGemmPackB) != 0) {
    block_private(plan, parts);
  } else {
    block_in_place(plan, parts);
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
