// The ways a product can be run: a set of these bits. Internal to this folder.
#pragma once

#include "kernels/gemm/gemm.h"

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
  kGemmDots = 256,      // C is a vector, the matrix lies along k: gemm_dot along the lines
  kGemmPackA = 64,    // with kGemmPackB: A is copied into panels, too, some rows at a time
};

// A product in strips takes A's rows for its lines where it can, or else B's columns.
inline bool has_lines_of_a(const GemmProblem& q) { return q.n == 1 && (!q.trans_a || (q.m == 1 && q.lda == 1)); }
inline bool has_lines_of_b(const GemmProblem& q) { return q.m == 1 && (q.trans_b || (q.n == 1 && q.ldb == 1)); }

}  // namespace ranvier
