// What the files of this family share: the C++ types of the operations' domains and the parts of ew_lookup.
#pragma once

#include "kernels/elementwise/loops.h"
#include "kernels/table.h"

namespace ranvier::RANVIER_ISA {

// Arrays of bool are bytes that hold 0 or 1.
using Byte = std::uint8_t;

// The columns `dtypes` and `result` of elementwise.def.
enum class Domain { F, N, I, A, B };
enum class Result { T, B };

template <Result R, class T>
struct OutputOf {
  using Type = T;
};
template <class T>
struct OutputOf<Result::B, T> {
  using Type = Byte;
};

constexpr bool in_domain(Domain domain, DType dtype) {
  switch (domain) {
    case Domain::F: return is_float(dtype);
    case Domain::N: return is_compute(dtype) && dtype != DType::b8;
    case Domain::I: return dtype == DType::i32 || dtype == DType::i64;
    case Domain::A: return is_compute(dtype);
    case Domain::B: return dtype == DType::b8;
  }
  return false;
}

// nullptr for an operation of another arity, or a type outside its domain.
EwFn unary_lookup(Ew op, DType dtype);
EwFn binary_lookup(Ew op, DType dtype, EwForm form);

}  // namespace ranvier::RANVIER_ISA
