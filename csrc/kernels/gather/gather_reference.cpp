#include "kernels/gather/gather_reference.h"

#include <cstring>
#include <vector>

namespace ranvier::reference {
namespace {

std::int64_t index_at(const void* index, bool index64, std::int64_t i) {
  return index64 ? static_cast<const std::int64_t*>(index)[i] : static_cast<const std::int32_t*>(index)[i];
}

}  // namespace

std::int64_t gather_rows(std::int64_t n, std::int64_t row_bytes, std::int64_t table_rows, const void* table,
                         const void* index, bool index64, void* out) {
  std::int64_t bad = -1;
  for (std::int64_t i = n - 1; i >= 0; --i) {
    const std::int64_t at = index_at(index, index64, i);
    for (std::int64_t b = 0; b < row_bytes; ++b) {
      const bool inside = at >= 0 && at < table_rows;
      static_cast<char*>(out)[i * row_bytes + b] =
          inside ? static_cast<const char*>(table)[at * row_bytes + b] : 0;
    }
    if (at < 0 || at >= table_rows) bad = i;
  }
  return bad;
}

template <class T>
std::int64_t scatter_add_rows(std::int64_t n, std::int64_t cols, std::int64_t table_rows, const T* src,
                              const void* index, bool index64, T* out) {
  std::vector<double> sum(static_cast<std::size_t>(table_rows * cols));
  std::int64_t bad = -1;
  for (std::int64_t i = n - 1; i >= 0; --i) {
    const std::int64_t at = index_at(index, index64, i);
    if (at < 0 || at >= table_rows) {
      bad = i;
      continue;
    }
    for (std::int64_t c = 0; c < cols; ++c) sum[static_cast<std::size_t>(at * cols + c)] += src[i * cols + c];
  }
  for (std::size_t k = 0; k < sum.size(); ++k) out[k] = static_cast<T>(sum[k]);
  return bad;
}
template std::int64_t scatter_add_rows(std::int64_t, std::int64_t, std::int64_t, const float*, const void*,
                                       bool, float*);
template std::int64_t scatter_add_rows(std::int64_t, std::int64_t, std::int64_t, const double*, const void*,
                                       bool, double*);

void one_hot(std::int64_t n, std::int64_t cols, const void* index, bool index64, DType dtype, void* out) {
  const auto fill = [&](auto zero) {
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t c = 0; c < cols; ++c)
        static_cast<decltype(zero)*>(out)[i * cols + c] = index_at(index, index64, i) == c;
  };
  switch (dtype) {
#define RANVIER_X(name, type, text) \
  case DType::name:                 \
    return fill(type{});
    RANVIER_DTYPES(RANVIER_X)
#undef RANVIER_X
  }
}

void strided_copy(int ndim, const std::int64_t* shape, std::int64_t element_size, const void* src,
                  const std::int64_t* src_strides, void* dst, const std::int64_t* dst_strides) {
  if (ndim == 0) {
    std::memcpy(dst, src, static_cast<std::size_t>(element_size));
    return;
  }
  for (std::int64_t i = 0; i < shape[0]; ++i)
    strided_copy(ndim - 1, shape + 1, element_size, static_cast<const char*>(src) + i * src_strides[0],
                 src_strides + 1, static_cast<char*>(dst) + i * dst_strides[0], dst_strides + 1);
}

}  // namespace ranvier::reference
