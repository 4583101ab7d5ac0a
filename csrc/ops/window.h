// Windows along the axes between batch and channels: where they lie, and how many there are. From attributes of a node:
//   window, stride, before, after (Ints, one entry for each axis): windows of equal size at equal distances, over the
//     axis with so much padding before and after it; or
//   output (Ints): so many windows, which divide the axis: number i of n covers [floor(i s / n), ceil((i + 1) s / n)).
#pragma once

#include <cstdint>
#include <vector>

#include "base/shape.h"
#include "graph/attributes.h"

namespace ranvier {

struct WindowAxis {
  std::int64_t in, out;
  std::int64_t window = 0, stride = 1, before = 0;  // window 0: it divides the axis

  // The elements [begin, end) of the axis under window i: padding is left out.
  std::int64_t begin(std::int64_t i) const;
  std::int64_t end(std::int64_t i) const;
};

// The windows over x, [batch, axes..., channels] of 1 to 3 axes. An Error naming `op` where they do not fit it. Padding
// is less than a window, so that each holds an element.
std::vector<WindowAxis> windows_over(const char* op, const Shape& x, const Attributes& attributes);

}  // namespace ranvier
