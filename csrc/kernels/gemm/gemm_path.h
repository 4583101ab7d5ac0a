// The ways a product can be run. Internal to this folder.
#pragma once

namespace ranvier {

// A set of bits; no bit means that both operands are read where they lie.
enum GemmPath : int {
  kGemmPackA = 1,      // each task copies its block of A into panels
  kGemmPackB = 2,      // each task copies its block of B into panels
  kGemmShareB = 4,     // the threads pack B together, then share it
  kGemmWhole = 8,      // one task, one block: no walk at all
  kGemmThinCols = 16,  // at most four columns: gemm_thin along the rows
  kGemmThinRows = 32,  // at most four rows, transposed B: gemm_thin along the columns
  kGemmThin = kGemmThinCols | kGemmThinRows,
  kGemmInteger = 64,   // i32, i64: plain loops
  kGemmEmpty = 128,    // C has no elements
};

}  // namespace ranvier
