# Turnbull's estimate by another program: npsurv, which finds it by the constrained Newton method (Wang 2008).
#   Rscript tests/registry/statistics/npsurv_reference.R > tests/registry/statistics/npsurv_reference.json
suppressMessages(library(npsurv))
data(cancer)  # times to cosmetic deterioration of the breast, which npsurv ships; months
set.seed(20)
visited <- function(size, days) {
  at <- rexp(size, 1 / 90)
  t(sapply(at, function(x) {
    came <- if (is.null(days)) sort(round(runif(5, 1, 365))) else days[seq_len(sample(length(days), 1))]
    before <- came[came < x]
    after <- came[came >= x]
    c(if (length(before)) max(before) else 0, if (length(after)) min(after) else Inf)
  }))
}
cases <- split(cancer[, c("L", "R")], cancer$group)
sets <- c(lapply(cases, function(x) unname(as.matrix(x))),
          list(ten_patients = visited(10, c(1, 11, 30, 90, 180, 365)),
               common_days = visited(120, c(1, 11, 30, 90, 180, 365)),
               own_days = visited(80, NULL)))
names(sets) <- gsub("[^a-z_]", "", tolower(names(sets)))

numbers <- function(v) paste0("[", paste(ifelse(is.finite(v), format(v, digits = 10, trim = TRUE), "null"), collapse = ", "), "]")
made <- sapply(names(sets), function(name) {
  ends <- sets[[name]]
  fit <- npsurv(ends, tol = 1e-12)
  held <- fit$f$p > 1e-9
  sprintf(paste0("  \"%s\": {\"left\": %s,\n   \"right\": %s,\n   \"begin\": %s, \"end\": %s,\n   \"mass\": %s,\n",
                 "   \"log_likelihood\": %.9f}"),
          name, numbers(ends[, 1]), numbers(ends[, 2]), numbers(fit$f$left[held]), numbers(fit$f$right[held]),
          numbers(fit$f$p[held]), fit$ll)
})
cat("{\n  \"made_by\": \"npsurv ", as.character(packageVersion("npsurv")), ", R ", as.character(getRversion()), "\",\n",
    paste(made, collapse = ",\n"), "\n}\n", sep = "")
