// The product's kernels for float, and the shape of the register tile. Contracts: kernels.def.
#include "kernels/gemm/gemm_block.h"
#include "kernels/gemm/gemm_dot.h"
#include "kernels/gemm/gemm_pack.h"
#include "kernels/gemm/gemm_thin.h"
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {

void gemm_block_f32(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
                    bool trans_a, const float* b, std::int64_t ldb, float* c, std::int64_t ldc,
                    bool accumulate) {
  block<Fused<float>>(m, n, k, a, lda, trans_a, b, ldb, c, ldc, accumulate);
}

void gemm_pack_f32(std::int64_t n, std::int64_t k, const float* b, std::int64_t ldb, bool trans_b,
                   float* out) {
  constexpr std::int64_t kWidth = kTileVecs * Vec<float>::kLanes;
  pack<float>(n, k, kWidth, kWidth, b, ldb, trans_b, out);
}

void gemm_pack_a_f32(std::int64_t m, std::int64_t k, const float* a, std::int64_t lda, bool trans_a,
                     float* out) {
  pack<float>(m, k, even_step(m, kTileRows), kPanelRows<float>, a, lda, !trans_a, out);
}

void gemm_tile_shape(DType dtype, std::int64_t* rows, std::int64_t* cols, std::int64_t* panel_rows) {
  *rows = kTileRows;
  *panel_rows = dtype == DType::f64 ? kPanelRows<double> : kPanelRows<float>;
  *cols = kTileVecs * (dtype == DType::f64 ? Vec<double>::kLanes : Vec<float>::kLanes);
}

void gemm_thin_f32(std::int64_t lines, std::int64_t thin_count, std::int64_t k, const float* x,
                   std::int64_t ld, bool by_rows, const float* y, std::int64_t y_k, std::int64_t y_line,
                   float* c, std::int64_t c_long, std::int64_t c_thin) {
  thin<float>(lines, thin_count, k, x, ld, by_rows, y, y_k, y_line, c, c_long, c_thin);
}

void gemm_dot_f32(std::int64_t lines, std::int64_t k, const float* x, std::int64_t ld, const float* y, float* c,
                  std::int64_t c_step) {
  dot<float>(lines, k, x, ld, y, c, c_step);
}

}  // namespace ranvier::RANVIER_ISA
