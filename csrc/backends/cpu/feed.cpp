// Rows of the user's arrays into a program's inputs.
#include <algorithm>
#include <cstring>

#include "backends/cpu/plan.h"

namespace ranvier::cpu {
namespace {

// A thread copies this much in about the time that it takes to wake another one (27 GB/s, 1.5 us).
constexpr std::int64_t kThreadBytes = 40 * 1024;

}  // namespace

void gather(const Rows& rows, void* out, DType to) {
  const std::int64_t row_elements = rows.elements, begin = rows.begin, count = rows.count;
  const std::int64_t* const order = rows.order;
  const std::int64_t in_row = row_elements * static_cast<std::int64_t>(size_of(rows.dtype));
  const std::int64_t out_row = row_elements * static_cast<std::int64_t>(size_of(to));
  const auto* source = static_cast<const std::byte*>(rows.data);
  auto* target = static_cast<std::byte*>(out);
  const EwFn convert = rows.dtype == to ? nullptr : kernels().ew_cast_lookup(rows.dtype, to);
  const int threads = static_cast<int>(std::clamp<std::int64_t>(count * in_row / kThreadBytes, 1, max_threads()));
  const std::int64_t share = (count + threads - 1) / threads;
  parallel_for(threads, threads, [=](std::int64_t task, int) {
    const std::int64_t first = std::min(task * share, count), end = std::min(first + share, count);
    const auto copy = [=](std::int64_t row, std::int64_t from_row, std::int64_t rows) {
      std::byte* const to_row = target + row * out_row;
      if (convert) convert(rows * row_elements, to_row, source + from_row * in_row, nullptr, nullptr);
      else std::memcpy(to_row, source + from_row * in_row, static_cast<std::size_t>(rows * in_row));
    };
    if (!order) return copy(first, begin + first, end - first);
    for (std::int64_t i = first; i < end; ++i) copy(i, order[i], 1);
  });
}

}  // namespace ranvier::cpu
