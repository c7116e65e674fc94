"""Two tiny images (24 rows, 20 columns, 12 bits) compressed by programs that are not ours."""

from __future__ import annotations

import base64

import numpy as np


def picture():
    """What both hold."""
    y, x = np.mgrid[0:24, 0:20]
    return ((x * 37 + y * y * 5) % 1500 + (x // 7) * 900).astype(np.uint16)


# High-throughput JPEG 2000, reversible (OpenJPH).
HTJ2K = base64.b85decode(
    "|4;u>04YEK0000K0000O00000000000000K0000O0000000000009pH0sl|{2mk^A000XAQUDA90ssL31q1{@0smY86Cj9?kdTm&"
    "kdTm&kdTmwh=~7W02crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*000024gdlFlfVEb3HAjCbO68r6F>kHKmZc}eDVW_bN~+g0*7<}"
    "bNB-XbO68r6F>kHzyK0}zV`r&bO2q!<N%^H06GDObO68r6|evWsQ>^~fK^Q8gzeKe!vmQ|H2|MH6^dz-82Gi{?EVx>{xN~Sm;g-"
    ")pp~)p3;4vf0KfnjQvd*6Yybgo01+cflt>~OiMUM@EaOG^VY&-O%hTu{@}|`=`T^MNdH)6>=!5`reE{b?&pGFubBdjWC-"
    "A%ggsC)j5$@V$y$sxip)Hs8{s8A0!ZQd!V}KtdF}?s8ITD2$dUR~*;;4mDjv@sf051CB+_@M&QUNTw0Kfn*SbzXuLO=j6fPw`NJ{"
    "XAz7Cd-x1Q9HF@ZboNOK`#K1|M9PG3@M+AhBzgj9mm5yl(KpbwL6N!GhZjK6ozF5#*eg97lhY<Y3q8o#`xa1-"
    "v?Y^rxr4N^prtFM<Mp0m)2~BuSDaNivfpNs=T<lFTGYk|arzBr^#VlK@2tK$n0P32Y5ZN&<jI8x!D*1hg>$p(apF0tqCLKmrLQkU"
    "#<nB#=M?3BU=!3BU=!3BXwb`jCM76k}}^DFGdD02sK002u@z0~`Pd6(j-"
    "}zyuMDi}m{T`pfnD_4>=9vl}tB0`0bAmtF0&Yo}eiw)_6X1t<}&1SlVW%0G~xJ1GKl0sq+"
)

# Lossless JPEG, predictor 1 (liblj92).
LOSSLESS_JPEG = base64.b85decode(
    "|JeV;0384U00IL60RaI300000000062LuHQ0tgEO4FAIb3k(1l02BcL5di<%00;p900sa6{(tnTQl(0ldX%YBrAn82l&MmsOZxZU"
    "efQse_uqZ@-+lMrckEcPV#SLVELgE(#fug!Sh1PAcJ14@Zr!_f?c29*-"
    "Me<`JeEr(lF4MUSuB=IC6dWxvRN#aOC+~1m&@hy`Fy@#FPF>Z^7(weUoV%-"
    "x6WrXnat*MIh@XCGnvfhb2*&OXETxt6ev)kLWK$xC{Uq7g$fiXWVFeXCQO+!WXY2zOqnud$&*T|)vH#mTD5A`t5&UAwQAL?m)J01"
    "!Gi`27%*VLg9Z#3Fkv*cYSpV&ty;Be)vH#mTD5A{b9Cv`r%s(Zbm`NlPMtb*>D2oD`}gnPzkdDu_wV1oe*XaE#j1y)<Vg}lkt9hH"
    "M3E#(5=4<CNfYGHs;;WLnMj_Il4O}CNs?rlCP|WHpOa>*TCHlexxAAk$udu-"
    "<moz2lcevHj;s2w>c6V~=aO`tCrQ$DohM1&rIh|o+OlfNt0w3&oTn+ua-"
    "63r%5t2iDavx6%S%?B(WQxESe7M;Vpx_XiDFomC5d8KmL-"
    "o|%d+gdF3Ym)yDrPJ?7J?@vh2Gq%d+gd>^X{Jn5HR;Vwk2Wiei|iDT-p4rYVYIn7x}b%=0|YGtBcm&oj*PJkK-"
    "C^E}Tp%=16B=E<^bn<mM!Y?~&@vTU0s$+B$uN9y~l?ytV#oM#!vahzuv#&Mi}QkubQ1*{gZTET9=IL<SO|Je"
)
