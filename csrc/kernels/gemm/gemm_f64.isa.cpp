// The product's kernels for double. Contracts: kernels.def.
#include "kernels/gemm/gemm_block.h"
#include "kernels/gemm/gemm_dot.h"
#include "kernels/gemm/gemm_pack.h"
#include "kernels/gemm/gemm_thin.h"
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {

void gemm_block_f64(std::int64_t m, std::int64_t n, std::int64_t k, const double* a, std::int64_t lda,
                    bool trans_a, const double* b, std::int64_t ldb, double* c, std::int64_t ldc,
                    bool accumulate) {
  block<Fused<double>>(m, n, k, a, lda, trans_a, b, ldb, c, ldc, accumulate);
}

void gemm_pack_f64(std::int64_t n, std::int64_t k, const double* b, std::int64_t ldb, bool trans_b,
                   double* out) {
  constexpr std::int64_t kWidth = kTileVecs * Vec<double>::kLanes;
  pack<double>(n, k, kWidth, kWidth, b, ldb, trans_b, out);
}

void gemm_pack_a_f64(std::int64_t m, std::int64_t k, const double* a, std::int64_t lda, bool trans_a,
                     double* out) {
  pack<double>(m, k, even_step(m, kTileRows), kPanelRows<double>, a, lda, !trans_a, out);
}

void gemm_thin_f64(std::int64_t lines, std::int64_t thin_count, std::int64_t k, const double* x,
                   std::int64_t ld, bool by_rows, const double* y, std::int64_t y_k, std::int64_t y_line,
                   double* c, std::int64_t c_long, std::int64_t c_thin) {
  thin<double>(lines, thin_count, k, x, ld, by_rows, y, y_k, y_line, c, c_long, c_thin);
}

void gemm_dot_f64(std::int64_t lines, std::int64_t k, const double* x, std::int64_t ld, const double* y, double* c,
                  std::int64_t c_step) {
  dot<double>(lines, k, x, ld, y, c, c_step);
}

}  // namespace ranvier::RANVIER_ISA
