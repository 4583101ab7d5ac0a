// Chooses how a product is run. The path depends on the problem and on the instruction set's register tile
// only; max_threads bounds the threads and shapes the tasks they share.
//
// B is packed where it is transposed, or too large for L2 and read for many rows. A is read where it lies (its
// rows or columns under a tile stay in L1 while B goes by), or packed where B is and rows of C are long. Tasks
// pack for themselves: what is packed twice costs a few percent, and no core waits for another's lines.
#include <algorithm>

#include "base/cpu_features.h"
#include "base/status.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/gemm_path.h"

namespace ranvier {
namespace {

// Measured on Zen 5 (48 KiB of L1, 1 MiB of L2 per core); sized to hold for smaller caches too.
constexpr std::int64_t kLocalB = 1 << 20;       // bytes of a B that is best read where it lies
constexpr std::int64_t kStreamedB = 16 << 20;   // bytes of a B that comes from memory
constexpr std::int64_t kDepth = 512;            // kc under a packed B
constexpr std::int64_t kPackedCols = 128;       // nc under a packed B
// Under a packed A: bytes of kc (reloading C costs a tile 300 cycles), bytes of A that stay in L2, and nc.
constexpr std::int64_t kPackedDepth = 4096, kPackedBytesOfA = 256 * 1024, kPackedAcross = 1280;
constexpr std::int64_t kTurnedRows = 512;       // mc and kc where C is computed transposed
// Under a C that goes to memory with the epilogue's operands: bytes of packed B, so that rows are walked in long runs.
constexpr std::int64_t kPackedBytesOfB = 4 << 20;
constexpr std::int64_t kTaskRows = 1024;        // above this C would leave the cache before its epilogue
constexpr std::int64_t kThinLines = 16 * 1024;  // of a thin product, in one task
constexpr std::int64_t kBlockOfC = 32 * 1024;   // elements, about, between two calls of the epilogue
// Work that repays waking a thread: a fork-join is about 1 us.
constexpr double kNanosecondsPerThread = 4000;
constexpr double kCyclesPerNanosecond = 4;
constexpr double kBytesPerNanosecond = 24;  // from memory, one core

struct Tile {
  std::int64_t rows = 0, cols = 0, panel_rows = 0;
};

std::int64_t div_up(std::int64_t x, std::int64_t by) { return (x + by - 1) / by; }
std::int64_t round_up(std::int64_t x, std::int64_t to) { return div_up(x, to) * to; }
std::int64_t bytes_of(const GemmProblem& q, std::int64_t elements) {
  return elements * static_cast<std::int64_t>(size_of(q.dtype));
}

// Cuts `total` into about `parts` equal pieces of at least `least`; returns the piece.
std::int64_t piece(std::int64_t total, std::int64_t parts, std::int64_t least) {
  return std::min(total, std::max(div_up(total, std::max<std::int64_t>(parts, 1)), least));
}

// The size of nearly equal pieces of `total`: multiples of `unit`, none above `most` (at least a unit).
std::int64_t even(std::int64_t total, std::int64_t most, std::int64_t unit) {
  if (total <= most) return total;
  const std::int64_t pieces = div_up(total, std::max(most / unit * unit, unit));
  return std::min(total, round_up(div_up(total, pieces), unit));
}

void check(const GemmProblem& q) {
  require(q.dtype == DType::f32 || q.dtype == DType::f64 || q.dtype == DType::i32 || q.dtype == DType::i64,
          "gemm: expected float32, float64, int32 or int64, got ", name_of(q.dtype));
  require(!q.bf16 || q.dtype == DType::f32, "gemm: a product of bfloat16 is float32, got ", name_of(q.dtype));
  require(q.m >= 0 && q.n >= 0 && q.k >= 0, "gemm: negative size: m=", q.m, " n=", q.n, " k=", q.k);
  require(q.lda >= (q.trans_a ? q.m : q.k), "gemm: lda=", q.lda, " is less than a row of A");
  require(q.ldb >= (q.trans_b ? q.k : q.n), "gemm: ldb=", q.ldb, " is less than a row of B");
  require(q.ldc >= q.n, "gemm: ldc=", q.ldc, " is less than a row of C, n=", q.n);
  require(!q.strips || has_lines_of_a(q) || has_lines_of_b(q),
          "gemm: sums in strips are those of a vector and lines along k, got m=", q.m, " n=", q.n);
}

// With one term there is no order of sums, and a column of B whose elements are side by side is a row as well.
void read_as_row(GemmProblem& q) {
  q.strips = false;
  if (!q.trans_b || q.ldb != 1) return;
  q.trans_b = false;
  q.ldb = q.n;
}

// A B that lies as the tiles read it is copied only where it is large, and read again for many rows.
bool packs_plain_b(const GemmProblem& q, const Tile& tile) {
  const std::int64_t bytes = bytes_of(q, q.k * q.n);
  if (bytes <= kLocalB || bytes_of(q, 256 * q.n) <= kLocalB * 3 / 4) return false;
  return q.m > (bytes < kStreamedB ? 4 : 2) * tile.rows;
}

// Turning a tile's rows costs an eighth of its multiply-adds, once for all tiles along a row; rows a multiple
// of a page apart, which contend for the same lines of L1, cost a twentieth as they are.
bool packs_a(const GemmProblem& q, const Tile& tile) {
  return q.n >= 16 * tile.cols && q.m >= 8 * tile.rows && q.k >= 128 && bytes_of(q, q.k * q.n) > kLocalB;
}

// The part of a tile's columns that `n` of them fill.
double filled(std::int64_t n, const Tile& tile) {
  return static_cast<double>(n) / static_cast<double>(round_up(n, tile.cols / 2));
}

// With A transposed, C's transpose needs no packing of a transposed B, and fills vectors along m where n is
// short. To turn C costs more than a short sum saves.
bool is_better_turned(const GemmProblem& q, const Tile& tile) {
  if (!q.trans_a || q.m < tile.cols) return false;
  if (q.trans_b) return q.k >= 128 && q.n <= 16 * tile.cols;
  return q.k >= 64 && q.n < tile.cols && filled(q.n, tile) < 0.8 * filled(q.m, tile);
}

int choose_path(const GemmProblem& q, const Tile& tile) {
  if (q.k == 0) return kGemmInPlace;  // zeros
  if (q.bf16) return kGemmPackB | kGemmPackA;
  if (q.strips) return kGemmDots;
  if (q.n <= 4 && q.m >= 2 * q.n) return kGemmThinCols;
  if (q.m <= 4 && q.trans_b) return kGemmThinRows;
  if (is_better_turned(q, tile)) return kGemmTurned;
  if (!q.trans_b && !packs_plain_b(q, tile)) return kGemmInPlace;
  return kGemmPackB | (packs_a(q, tile) ? kGemmPackA : 0);
}

// Estimated time on one core: two multiply-adds of a vector per cycle, or the operands from memory.
double nanoseconds(const GemmPlan& plan, const Tile& tile) {
  const GemmProblem& q = plan.problem;
  const double m = static_cast<double>(q.m), n = static_cast<double>(q.n), k = static_cast<double>(q.k);
  const std::int64_t lanes = tile.cols / 2;
  const bool thin = (plan.path & (kGemmThinCols | kGemmThinRows)) != 0, dots = plan.path == kGemmDots;
  // Idle lanes, or shuffles, or two loads a cycle.
  const double columns = dots ? 2 * n : thin ? 4 * n : static_cast<double>(round_up(q.n, lanes));
  const double compute = m * columns * k / (2.0 * static_cast<double>(lanes)) / kCyclesPerNanosecond;
  const double bytes = (m * k + k * n + m * n) * static_cast<double>(size_of(q.dtype));
  return std::max(compute, bytes / kBytesPerNanosecond);
}

void block_packed(GemmPlan& plan, const Tile& tile, std::int64_t parts) {
  const GemmProblem& q = plan.problem;
  // Turning a transposed B wants long runs along k, the longer the fewer rows there are to hide it.
  plan.kc = std::min(q.k, q.trans_b ? kDepth * 8 / bytes_of(q, 1) : kDepth);
  const std::int64_t widest =
      round_up(q.trans_b && q.m <= 16 * tile.rows ? kPackedCols / 2 : kPackedCols, tile.cols);
  plan.nc = std::min({q.n, round_up(div_up(q.n, parts), tile.cols), widest});
  plan.mc = std::min(piece(q.m, div_up(parts, div_up(q.n, plan.nc)), 16 * tile.rows), kTaskRows);
}

// Both packed: a task's panels of B lie in L2 or L3 and go by once for every `ma` rows of A, which lie in L2.
// Every thread has as many tasks as any other, and its share of C is as near to square as can be: the shares'
// edges are what is packed twice.
void block_packed_both(GemmPlan& plan, const Tile& tile) {
  const GemmProblem& q = plan.problem;
  plan.kc = even(q.k, kPackedDepth / bytes_of(q, 1), 16);
  std::int64_t least = 0;
  for (std::int64_t down = 1; down <= plan.threads; ++down) {
    if (plan.threads % down != 0) continue;
    const std::int64_t across = plan.threads / down, packed = q.m * across + q.n * down;
    if (down > 1 && packed >= least) continue;
    least = packed;
    plan.mc = std::min(q.m, round_up(div_up(q.m, down), tile.rows));
    const std::int64_t pieces = across * div_up(q.n, across * kPackedAcross);
    plan.nc = std::min(q.n, round_up(div_up(q.n, pieces), tile.cols));
  }
  const std::int64_t rows = kPackedBytesOfA / bytes_of(q, plan.kc) / tile.panel_rows * tile.rows;
  plan.ma = even(plan.mc, std::max(rows, tile.rows), tile.rows);
  plan.strip = kPackedCols;
}

void block_in_place(GemmPlan& plan, const Tile& tile, std::int64_t parts) {
  const GemmProblem& q = plan.problem;
  const std::int64_t b_bytes = bytes_of(q, q.k * q.n);
  if (b_bytes > kLocalB) {
    // Against few rows a large B goes by once, at the speed of memory: a few of its rows at a time, whole.
    const bool stream = q.m <= 2 * tile.rows && b_bytes > (q.m == 1 ? kStreamedB / 8 : kStreamedB);
    plan.kc = std::min<std::int64_t>(q.k, stream ? 8 : q.m <= 4 * tile.rows ? q.k : 256);
  }
  // Few rows are not cut into uneven pieces: each thread takes columns.
  if (plan.threads > 1 && !q.trans_a && q.m <= 4 * tile.rows && q.n >= plan.threads * tile.cols) {
    plan.nc = round_up(piece(q.n, plan.threads, 1), tile.cols);
    return;
  }
  // A transposed A is read along its rows: the more of C's rows in a task, the longer the runs.
  const std::int64_t rows = std::max(kBlockOfC * (q.trans_a ? 8 : 1) / q.n, 16 * tile.rows);
  plan.mc = std::min(piece(q.m, parts, tile.rows), rows);
  const std::int64_t columns = div_up(parts, div_up(q.m, plan.mc));
  if (columns > 1) plan.nc = std::min(q.n, round_up(piece(q.n, columns, 1), tile.cols));
}

// A's block of kc x mc is C's transpose's B: it stays in L2 while B's columns go by.
void block_turned(GemmPlan& plan, const Tile& tile, std::int64_t parts) {
  const GemmProblem& q = plan.problem;
  plan.nc = even(q.n, 8 * tile.cols, tile.cols);
  const std::int64_t pieces = div_up(parts, div_up(q.n, plan.nc));
  plan.mc = std::min(even(q.m, kTurnedRows, tile.cols), round_up(div_up(q.m, pieces), tile.cols));
  plan.kc = even(q.k, kTurnedRows * 4 / bytes_of(q, 1), 1);
}

// An epilogue over more than the caches hold runs at the speed of memory, which wants long runs along rows: a few
// whole rows, or nearly, at a time, instead of blocks near to square. (A weight gradient's epilogue reads and writes
// the weights and the optimizer's state.)
void lengthen_rows(GemmPlan& plan, const Tile& tile) {
  const GemmProblem& q = plan.problem;
  plan.nc = plan.strip = even(q.n, kPackedBytesOfB / bytes_of(q, plan.kc), tile.cols);
  plan.mc = std::min(q.m, round_up(div_up(q.m, plan.threads), tile.rows));
  plan.ma = std::min(plan.mc, round_up(std::max(kBlockOfC / plan.nc, 2 * tile.rows), tile.rows));
}

void choose_blocks(GemmPlan& plan, const Tile& tile, int max_threads, double epilogue_ns) {
  const GemmProblem& q = plan.problem;
  const double useful = (nanoseconds(plan, tile) + epilogue_ns) / kNanosecondsPerThread;
  plan.threads = static_cast<int>(std::clamp(useful, 1.0, static_cast<double>(std::max(max_threads, 1))));
  plan.mc = plan.ma = q.m, plan.nc = plan.strip = q.n, plan.kc = q.k;
  if (q.k == 0) return;
  const std::int64_t parts =
      plan.threads == 1 ? 1 : 4 * plan.threads;  // some more, as cores are never all equal
  const bool dots = plan.path == kGemmDots;
  if (plan.path == kGemmThinCols || (dots && has_lines_of_a(q))) {
    plan.mc = std::min({q.m, round_up(piece(q.m, parts, 1), 64), kThinLines});
  } else if (plan.path == kGemmThinRows || dots) {
    plan.nc = std::min({q.n, round_up(piece(q.n, parts, 1), 64), kThinLines});
  } else if (plan.path == kGemmTurned) {
    block_turned(plan, tile, parts);
  } else if ((plan.path & kGemmPackA) != 0) {
    block_packed_both(plan, tile);
    if (epilogue_ns > 0 && plan.kc == q.k && bytes_of(q, q.m * q.n) >= kStreamedB) lengthen_rows(plan, tile);
  } else if (plan.path == kGemmPackB) {
    block_packed(plan, tile, parts);
  } else {
    block_in_place(plan, tile, parts);
  }
}

// Tasks bound the threads; each thread's scratch is its packed block of B.
void book_scratch(GemmPlan& plan, const Tile& tile) {
  const GemmProblem& q = plan.problem;
  const std::int64_t tasks = div_up(q.m, plan.mc) * div_up(q.n, plan.nc);
  plan.threads = static_cast<int>(std::min<std::int64_t>(plan.threads, tasks));
  if ((plan.path & kGemmPackB) != 0) {
    const std::int64_t bytes = bytes_of(q, round_up(plan.nc, tile.cols) * plan.kc);
    plan.panels_of_b = plan.thread_bytes = static_cast<std::size_t>(round_up(bytes, 64));
  }
  if ((plan.path & kGemmPackA) != 0) {
    const std::int64_t panels = div_up(plan.ma, tile.rows) * tile.panel_rows;
    plan.thread_bytes += static_cast<std::size_t>(round_up(bytes_of(q, panels * plan.kc), 64));
  }
  if (plan.path == kGemmTurned) {
    plan.thread_bytes = static_cast<std::size_t>(round_up(bytes_of(q, plan.mc * plan.nc), 64));
  }
  if (plan.path == kGemmDots && (has_lines_of_a(q) ? !q.trans_b && q.ldb > 1 : q.trans_a && q.lda > 1)) {
    plan.scratch_bytes = static_cast<std::size_t>(round_up(bytes_of(q, q.k), 64));  // the vector, elements side by side
  }
  if (plan.thread_bytes > 0) {
    plan.scratch_bytes = plan.thread_bytes * static_cast<std::size_t>(plan.threads);
  }
  if (plan.path <= kGemmPackB && tasks == 1 && plan.kc == q.k) plan.path |= kGemmWhole;
}

}  // namespace

GemmPlan gemm_plan(const GemmProblem& problem, int max_threads, const KernelTable& table,
                   double epilogue_ns) {
  check(problem);
  GemmPlan plan;
  plan.problem = problem;
  plan.table = &table;
  if (problem.m == 0 || problem.n == 0) {
    plan.path = kGemmEmpty;
  } else if (!is_float(problem.dtype)) {
    plan.path = kGemmInteger;
  } else {
    Tile tile;
    table.gemm_tile_shape(problem.dtype, &tile.rows, &tile.cols, &tile.panel_rows);
    // No operand is read where k is 0. Pairs of bfloat16 are planned as what tiles take them for: floats.
    plan.problem.bf16 = problem.bf16 && problem.k > 0;
    if (plan.problem.bf16) plan.problem.k = div_up(problem.k, 2);
    if (problem.k == 1) read_as_row(plan.problem);
    plan.path = choose_path(plan.problem, tile);
    choose_blocks(plan, tile, max_threads, epilogue_ns);
    book_scratch(plan, tile);
    plan.problem.k = problem.k;
    plan.bf16_dot = plan.problem.bf16 && has_bf16_dot();
  }
  return plan;
}

}  // namespace ranvier
