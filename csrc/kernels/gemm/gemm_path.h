// The ways a product can be run: a set of these bits. Internal to this folder.
#pragma once

namespace ranvier {

enum GemmPath : int {
  kGemmInPlace = 0,     // both operands are read where they lie
  kGemmPackA = 1,       // each task copies its block of A into panels
  kGemmPackB = 2,       // each task copies its block of B into panels
  kGemmShareB = 4,      // the threads pack B together, then share it
  kGemmWhole = 8,       // in place, one task: a single kernel call
  kGemmInteger = 16,    // i32, i64: plain loops
  kGemmEmpty = 32,      // C has no elements
};

}  // namespace ranvier
