// Rows picked by index: gather, its transpose, and one-hot rows. Contiguous arrays; `out` overlaps no input.
// An index out of range is reported and never used as an address.
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {
namespace {

// index[i], or -1 when it is outside [0, rows).
inline std::int64_t index_at(const void* index, bool index64, std::int64_t i, std::int64_t rows) {
  const std::int64_t at =
      index64 ? static_cast<const std::int64_t*>(index)[i] : static_cast<const std::int32_t*>(index)[i];
  return at >= 0 && at < rows ? at : -1;
}

// Rows of kBytes (a constant, so that a copy is a move or two) or, when that is 0, of row_bytes.
template <std::int64_t kBytes>
std::int64_t gather(std::int64_t n, std::int64_t row_bytes, std::int64_t table_rows, const char* table,
                    const void* index, bool index64, char* out) {
  constexpr std::int64_t kAhead = 2;             // rows to prefetch: a shuffled table is read in no order
  constexpr std::int64_t kPrefetchBytes = 4096;  // the rest of a longer row is left to the hardware
  const std::int64_t size = kBytes != 0 ? kBytes : row_bytes;
  std::int64_t bad = -1;
  for (std::int64_t i = 0; i < n; ++i, out += size) {
    if (kBytes == 0 && i + kAhead < n) {
      const std::int64_t next = index_at(index, index64, i + kAhead, table_rows);
      const std::int64_t head = size < kPrefetchBytes ? size : kPrefetchBytes;
      if (next >= 0)
        for (std::int64_t b = 0; b < head; b += 64) __builtin_prefetch(table + next * size + b);
    }
    const std::int64_t at = index_at(index, index64, i, table_rows);
    if (at >= 0) {
      __builtin_memcpy(out, table + at * size, static_cast<std::size_t>(size));
    } else {
      __builtin_memset(out, 0, static_cast<std::size_t>(size));
      if (bad < 0) bad = i;
    }
  }
  return bad;
}

template <class T>
std::int64_t scatter_add(std::int64_t n, std::int64_t cols, std::int64_t table_rows, const T* src,
                         const void* index, bool index64, T* out) {
  for (std::int64_t i = 0; i < table_rows * cols; ++i) out[i] = T(0);
  std::int64_t bad = -1;
  for (std::int64_t i = 0; i < n; ++i, src += cols) {
    const std::int64_t at = index_at(index, index64, i, table_rows);
    if (at < 0) {
      if (bad < 0) bad = i;
      continue;
    }
    T* row = out + at * cols;
#pragma GCC ivdep
    for (std::int64_t c = 0; c < cols; ++c) row[c] += src[c];
  }
  return bad;
}

template <class T>
void one_hot_rows(std::int64_t n, std::int64_t cols, const void* index, bool index64, void* out) {
  T* row = static_cast<T*>(out);
  for (std::int64_t i = 0; i < n * cols; ++i) row[i] = T(0);
  for (std::int64_t i = 0; i < n; ++i, row += cols) {
    const std::int64_t at = index_at(index, index64, i, cols);
    if (at >= 0) row[at] = T(1);
  }
}

}  // namespace

std::int64_t gather_rows(std::int64_t n, std::int64_t row_bytes, std::int64_t table_rows, const void* table,
                         const void* index, bool index64, void* out) {
  const char* from = static_cast<const char*>(table);
  char* to = static_cast<char*>(out);
  switch (row_bytes) {
    case 1:
      return gather<1>(n, row_bytes, table_rows, from, index, index64, to);
    case 2:
      return gather<2>(n, row_bytes, table_rows, from, index, index64, to);
    case 4:
      return gather<4>(n, row_bytes, table_rows, from, index, index64, to);
    case 8:
      return gather<8>(n, row_bytes, table_rows, from, index, index64, to);
    case 16:
      return gather<16>(n, row_bytes, table_rows, from, index, index64, to);
    case 32:
      return gather<32>(n, row_bytes, table_rows, from, index, index64, to);
    case 64:
      return gather<64>(n, row_bytes, table_rows, from, index, index64, to);
    default:
      return gather<0>(n, row_bytes, table_rows, from, index, index64, to);
  }
}

std::int64_t scatter_add_rows_f32(std::int64_t n, std::int64_t cols, std::int64_t table_rows,
                                  const float* src, const void* index, bool index64, float* out) {
  return scatter_add(n, cols, table_rows, src, index, index64, out);
}
std::int64_t scatter_add_rows_f64(std::int64_t n, std::int64_t cols, std::int64_t table_rows,
                                  const double* src, const void* index, bool index64, double* out) {
  return scatter_add(n, cols, table_rows, src, index, index64, out);
}

void one_hot(std::int64_t n, std::int64_t cols, const void* index, bool index64, DType dtype, void* out) {
  switch (dtype) {
#define RANVIER_X(name, type, text) \
  case DType::name:                 \
    return one_hot_rows<type>(n, cols, index, index64, out);
    RANVIER_DTYPES(RANVIER_X)
#undef RANVIER_X
  }
}

}  // namespace ranvier::RANVIER_ISA
