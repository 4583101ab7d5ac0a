// The ways a product can be run: a set of these bits. Internal to this folder.
#pragma once

namespace ranvier {

enum GemmPath : int {
  kGemmInPlace = 0,   // both operands are read where they lie
  kGemmPackB = 1,     // each task copies its block of B into panels
  kGemmWhole = 2,     // one task, one block: a single call of the kernel
  kGemmThinCols = 4,  // at most four columns: gemm_thin along the rows
  kGemmThinRows = 8,  // at most four rows, transposed B: gemm_thin along the columns
  kGemmInteger = 16,  // i32, i64: plain loops
  kGemmEmpty = 32,    // C has no elements
  kGemmTurned = 128,  // transposed A: blocks of C's transpose are computed and turned
  kGemmPackA = 64,    // with kGemmPackB: A is copied into panels, too, some rows at a time
};

}  // namespace ranvier
