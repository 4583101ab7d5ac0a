// The product's kernels for float, and the shape of the register tile. Contracts: kernels.def.
#include "kernels/gemm/gemm_block.h"
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {

void gemm_block_f32(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, int a_form,
                    const float* b, std::int64_t ldb, float* c, std::int64_t ldc, bool accumulate) {
  block<float>(m, n, k, a, lda, a_form, b, ldb, c, ldc, accumulate);
}

void gemm_pack_f32(std::int64_t count, std::int64_t k, std::int64_t width, const float* in, std::int64_t ld,
                   bool transpose, float* out) {
  pack<float>(count, k, width, in, ld, transpose, out);
}

void gemm_tile_shape(DType dtype, std::int64_t* rows, std::int64_t* cols) {
  *rows = kTileRows;
  *cols = kTileVecs * (dtype == DType::f64 ? Vec<double>::kLanes : Vec<float>::kLanes);
}

}  // namespace ranvier::RANVIER_ISA
