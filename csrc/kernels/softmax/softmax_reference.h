// Plain references of the softmax kernels, with double accumulators: the oracle of their tests. Arguments as
// in kernels.def, for T = float and double.
#pragma once

#include <cstdint>

namespace ranvier::reference {

template <class T>
void softmax(std::int64_t rows, std::int64_t cols, const T* x, T* out);
template <class T>
void log_softmax(std::int64_t rows, std::int64_t cols, const T* x, T* out);
template <class T>
void softmax_grad(std::int64_t rows, std::int64_t cols, const T* y, const T* g, T* out);
template <class T>
void log_softmax_grad(std::int64_t rows, std::int64_t cols, const T* y, const T* g, T* out);
template <class T>
std::int64_t sparse_xent(std::int64_t rows, std::int64_t cols, const T* x, const void* labels, bool label64,
                         T* loss);
template <class T>
void sparse_xent_grad(std::int64_t rows, std::int64_t cols, const T* x, const void* labels, bool label64,
                      const T* g, T* out);

}  // namespace ranvier::reference
