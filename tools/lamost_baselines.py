"""Ridge regression and a Gaussian process on principal components: what a network has to be better than."""

import numpy as np

#: Numbers of components, and strengths, length scales and noises that are tried.
RIDGE_COMPONENTS, GP_COMPONENTS = 150, 60
STRENGTHS = 10.0 ** np.arange(-3, 5)
LENGTHS = 2.0 ** np.arange(-2, 6)
NOISES = 10.0 ** np.arange(-4, 1, 0.5)


def components(train, test, count):
    """Principal components of spectra (N, F), each scaled to its standard deviation over the training stars."""
    mean = train.mean(axis=0)
    _, _, directions = np.linalg.svd(train - mean, full_matrices=False)
    one, two = ((spectra - mean) @ directions[:count].T for spectra in (train, test))
    return one, two


def ridge(train, labels, test):
    """Ridge regression; the strength is that of the smallest leave-one-out error, for each label."""
    one, two = components(train, test, RIDGE_COMPONENTS)
    spread = one.std(axis=0)
    one, two = one / spread, two / spread
    left, singular, right = np.linalg.svd(one, full_matrices=False)
    mean = labels.mean(axis=0)
    out = np.zeros((len(test), labels.shape[1]))
    for index in range(labels.shape[1]):
        target = labels[:, index] - mean[index]
        best = np.inf
        for strength in STRENGTHS:
            shrink = singular**2 / (singular**2 + strength)
            residual = (target - left @ (shrink * (left.T @ target))) / (1 - (left**2) @ shrink)
            if np.mean(residual**2) < best:
                best = np.mean(residual**2)
                slope = right.T @ (singular / (singular**2 + strength) * (left.T @ target))
        out[:, index] = two @ slope + mean[index]
    return out


def gaussian_process(train, labels, test):
    """A Gaussian process with a Gaussian kernel; length scale and noise are those of the largest evidence."""
    one, two = components(train, test, GP_COMPONENTS)

    def squares(a, b):
        return np.maximum(np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1) - 2 * a @ b.T, 0.0)

    near, far = squares(one, one), squares(two, one)
    typical = np.median(near)
    mean, spread = labels.mean(axis=0), labels.std(axis=0)
    targets = (labels - mean) / spread
    out, best = np.zeros((len(test), labels.shape[1])), np.full(labels.shape[1], -np.inf)
    for length in LENGTHS:
        values, vectors = np.linalg.eigh(np.exp(-near / (2 * length * typical)))
        kernel = np.exp(-far / (2 * length * typical))
        rotated = vectors.T @ targets
        for noise in NOISES:
            total = np.maximum(values, 0) + noise
            for index in range(labels.shape[1]):
                # the scale of the kernel is the one that maximises the evidence
                scale = np.mean(rotated[:, index] ** 2 / total)
                evidence = -0.5 * (len(total) * np.log(scale) + np.log(total).sum())
                if evidence > best[index]:
                    best[index] = evidence
                    out[:, index] = kernel @ (vectors @ (rotated[:, index] / total)) * spread[index] + mean[index]
    return out
