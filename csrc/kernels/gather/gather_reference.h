// Plain references of the gather kernels: the oracle of their tests. Arguments as in kernels.def.
#pragma once

#include <cstdint>

#include "base/dtype.h"

namespace ranvier::reference {

std::int64_t gather_rows(std::int64_t n, std::int64_t row_bytes, std::int64_t table_rows, const void* table,
                         const void* index, bool index64, void* out);
// Sums are taken in double and rounded once. T is float or double.
template <class T>
std::int64_t scatter_add_rows(std::int64_t n, std::int64_t cols, std::int64_t table_rows, const T* src,
                              const void* index, bool index64, T* out);
void one_hot(std::int64_t n, std::int64_t cols, const void* index, bool index64, DType dtype, void* out);
void strided_copy(int ndim, const std::int64_t* shape, std::int64_t element_size, const void* src,
                  const std::int64_t* src_strides, void* dst, const std::int64_t* dst_strides);

}  // namespace ranvier::reference
