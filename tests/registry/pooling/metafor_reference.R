# Pools stored rows, and an example of a textbook, with another program: metafor, which fits by lme4.
#   Rscript tests/registry/pooling/metafor_reference.R src/thecal/registry/literature/incidence.csv > tests/registry/pooling/metafor_reference.json
suppressMessages(library(metafor))
stored <- read.csv(commandArgs(TRUE)[1], na.strings = "")
rows <- list(
  any_of_vertebrae = c("cleft2021-any-cleft", "cleft2021-any-no-cleft", "wjso2022-any", "venmans-any"),
  any_of_patients = c("cleft2021-any-cleft", "cleft2021-any-no-cleft", "martin-any"),
  B_of_vertebrae = c("cleft2021-B-cleft", "cleft2021-B-no-cleft", "josr2021-B"),
  S_of_vertebrae = c("cleft2021-S-cleft", "cleft2021-S-no-cleft", "josr2021-S"),
  C_of_vertebrae = c("cleft2021-C-cleft", "cleft2021-C-no-cleft", "josr2021-C")
)
sets <- lapply(rows, function(ids) {
  found <- stored[match(ids, stored$id), ]
  list(ids = ids, x = found$events, n = found$n)
})
example <- dat.nielweise2007
sets$stijnen2010_control <- list(ids = character(), x = example$ci, n = example$n2i)
sets$stijnen2010_treated <- list(ids = character(), x = example$ai, n = example$n1i)

numbers <- function(v) paste0("[", paste(format(v, digits = 12, trim = TRUE), collapse = ", "), "]")
words <- function(v) paste0("[", paste(sprintf("\"%s\"", v), collapse = ", "), "]")
made <- sapply(names(sets), function(name) {
  s <- sets[[name]]
  # nAGQ is the number of nodes of the adaptive quadrature; 25 is the most that lme4 takes.
  fit <- suppressWarnings(rma.glmm(measure = "PLO", xi = s$x, ni = s$n, nAGQ = 25, control = list(
    glmerCtrl = list(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10)))))
  single <- function(k) c(binom.test(s$x[k], s$n[k])$conf.int)
  exact <- sapply(seq_along(s$x), single)
  sprintf(paste0("  \"%s\": {\"ids\": %s, \"events\": %s, \"n\": %s,\n   \"mu\": %.10f, \"se\": %.10f, \"tau2\": %.10f, ",
                 "\"i2\": %.10f, \"lr\": %.10f, \"lr_p\": %.12g,\n   \"exact_low\": %s, \"exact_high\": %s}"),
          name, words(s$ids), numbers(s$x), numbers(s$n), fit$beta, fit$se, fit$tau2, fit$I2 / 100, fit$QE.LRT, fit$QEp.LRT,
          numbers(exact[1, ]), numbers(exact[2, ]))
})
cat("{\n  \"made_by\": \"metafor ", as.character(packageVersion("metafor")), ", lme4 ", as.character(packageVersion("lme4")),
    ", R ", as.character(getRversion()), "\",\n", paste(made, collapse = ",\n"), "\n}\n", sep = "")
