// A row-major shape of at most eight dimensions, held inline, and products of sizes that cannot overflow.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/status.h"

namespace ranvier {

inline constexpr int kMaxRank = 8;

// The most elements that a shape may have, its axes of size 0 left out. Even as single bytes they are more than a process
// of today can address (2^47 bytes). So no product of sizes of one shape overflows, nor a sum of some thousands of
// them, nor their bytes, even where the tensor is empty.
inline constexpr std::int64_t kMostElements = std::int64_t{1} << 48;

// The product of sizes of several shapes; an Error where no tensor could have so many elements.
inline std::int64_t product_of(std::initializer_list<std::int64_t> sizes) {
  std::int64_t total = 1;
  bool overflow = false;
  for (std::int64_t size : sizes) overflow = __builtin_mul_overflow(total, size, &total) || overflow;
  if (overflow || total > kMostElements) {
    std::string text;
    for (std::int64_t size : sizes) text += (text.empty() ? "" : " x ") + std::to_string(size);
    fail(ErrorKind::kMemory, "A tensor of ", text, " elements is too large.");
  }
  return total;
}

class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims) : Shape(std::vector<std::int64_t>(dims)) {}
  explicit Shape(const std::vector<std::int64_t>& dims) {
    require(dims.size() <= kMaxRank, "A tensor has at most ", kMaxRank, " dimensions, got ", dims.size(), ".");
    for (std::int64_t dim : dims) push_back(dim);
  }

  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const { return dims_[axis]; }
  std::int64_t& operator[](int axis) { return dims_[axis]; }
  std::int64_t back() const { return dims_[rank_ - 1]; }
  const std::int64_t* begin() const { return dims_; }
  const std::int64_t* end() const { return dims_ + rank_; }
  std::vector<std::int64_t> to_vector() const { return {begin(), end()}; }

  void push_back(std::int64_t dim) {
    require(rank_ < kMaxRank, "A tensor has at most ", kMaxRank, " dimensions.");
    require(dim >= 0, "A dimension cannot be negative, got ", dim, ".");
    dims_[rank_++] = dim;
  }

  // Number of elements; an Error when the sizes are too large, of an empty tensor too (see kMostElements).
  std::int64_t size() const {
    std::int64_t total = 1;
    bool overflow = false, empty = false;
    for (int i = 0; i < rank_; ++i) {
      if (dims_[i] == 0) empty = true;
      else overflow = __builtin_mul_overflow(total, dims_[i], &total) || overflow;
    }
    if (overflow || total > kMostElements) fail(ErrorKind::kMemory, "A tensor of shape ", str(), " is too large.");
    return empty ? 0 : total;
  }

  bool operator==(const Shape& other) const {
    if (rank_ != other.rank_) return false;
    for (int i = 0; i < rank_; ++i)
      if (dims_[i] != other.dims_[i]) return false;
    return true;
  }

  // As Python prints a tuple: "()", "(3,)", "(2, 3)".
  std::string str() const {
    std::string text = "(";
    for (int i = 0; i < rank_; ++i) text += (i ? ", " : "") + std::to_string(dims_[i]);
    return text + (rank_ == 1 ? ",)" : ")");
  }

 private:
  std::int64_t dims_[kMaxRank] = {};
  int rank_ = 0;
};

}  // namespace ranvier
