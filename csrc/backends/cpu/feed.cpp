// Rows of the user's arrays into a program's inputs.
#include <cstring>

#include "backends/cpu/plan.h"

namespace ranvier::cpu {

void gather_batch(const void* data, DType from, void* out, DType to, std::int64_t row_elements, const std::int64_t* order,
                  std::int64_t begin, std::int64_t count) {
  const std::int64_t in_row = row_elements * static_cast<std::int64_t>(size_of(from));
  const std::int64_t out_row = row_elements * static_cast<std::int64_t>(size_of(to));
  const auto* source = static_cast<const std::byte*>(data);
  auto* target = static_cast<std::byte*>(out);
  if (!order && from == to) {
    std::memcpy(target, source + begin * in_row, static_cast<std::size_t>(count * in_row));
    return;
  }
  const EwFn convert = from == to ? nullptr : kernels().ew_cast_lookup(from, to);
  if (!order) return convert(count * row_elements, target, source + begin * in_row, nullptr, nullptr);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::byte* row = source + order[i] * in_row;
    if (convert) convert(row_elements, target + i * out_row, row, nullptr, nullptr);
    else std::memcpy(target + i * out_row, row, static_cast<std::size_t>(in_row));
  }
}

}  // namespace ranvier::cpu
