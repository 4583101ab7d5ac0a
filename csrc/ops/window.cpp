#include "ops/window.h"

#include <algorithm>

namespace ranvier {
namespace {

WindowAxis equal_windows(const char* op, std::int64_t in, const Attributes& attributes, std::size_t i) {
  const std::int64_t window = attributes.get<Ints>("window")[i], stride = attributes.get<Ints>("stride")[i];
  const std::int64_t before = attributes.get<Ints>("before")[i], after = attributes.get<Ints>("after")[i];
  require(window >= 1, op, ": a window has at least one element, got a size of ", window, ".");
  require(window <= kMostElements, op, ": a window of ", window, " elements is too large.");
  require(stride >= 1, op, ": windows are at least one element apart, got a stride of ", stride, ".");
  require(before >= 0 && before < window && after >= 0 && after < window, op, ": padding of ", before, " and ", after,
          " elements is not smaller than the window, ", window, ".");
  const std::int64_t space = in + before + after;
  require(in == 0 || space >= window, op, ": a window of ", window, " elements does not fit an axis of ", space,
          "; the output would have no elements.");
  return {in, in == 0 ? 0 : (space - window) / stride + 1, window, stride, before};
}

}  // namespace

std::int64_t WindowAxis::begin(std::int64_t i) const {
  return window == 0 ? i * in / out : std::max<std::int64_t>(0, i * stride - before);
}
std::int64_t WindowAxis::end(std::int64_t i) const {
  return window == 0 ? ((i + 1) * in + out - 1) / out : std::min(in, i * stride - before + window);
}

std::vector<WindowAxis> windows_over(const char* op, const Shape& x, const Attributes& attributes) {
  const bool divides = attributes.has("output");
  const std::size_t axes = attributes.get<Ints>(divides ? "output" : "window").size();
  require(axes >= 1 && axes <= 3, op, ": expected windows over 1 to 3 axes, got ", axes, ".");
  require(static_cast<std::size_t>(x.rank()) == axes + 2, op, ": expected a tensor of ", axes + 2,
          " axes (batch, ", axes, " of the windows, channels), got shape ", x.str(), ".");
  if (!divides)
    for (const char* name : {"stride", "before", "after"})
      require(attributes.get<Ints>(name).size() == axes, op, ": expected ", axes, " numbers for ", name, ".");
  std::vector<WindowAxis> windows;
  for (std::size_t i = 0; i < axes; ++i) {
    const std::int64_t in = x[static_cast<int>(i) + 1];
    if (!divides) {
      windows.push_back(equal_windows(op, in, attributes, i));
      continue;
    }
    const std::int64_t out = attributes.get<Ints>("output")[i];
    require(out >= 1 && in >= 1, op, ": an axis of ", in, " elements cannot be divided into ", out, " windows.");
    product_of({in, out});  // is what the windows' ends are computed from
    windows.push_back({in, out});
  }
  return windows;
}

}  // namespace ranvier
