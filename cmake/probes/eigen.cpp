#include <Eigen/LU>
#include <unsupported/Eigen/FFT>

int main() {
  const Eigen::Matrix2d matrix = Eigen::Matrix2d::Identity();
  Eigen::FFT<double> fft;
  std::vector<std::complex<double>> spectrum;
  fft.fwd(spectrum, std::vector<double>{1.0, 2.0, 3.0, 4.0});
  return matrix.inverse()(0, 0) > 0.0 && spectrum[0].real() > 9.0 ? 0 : 1;
}
