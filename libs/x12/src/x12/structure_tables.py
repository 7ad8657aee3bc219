"""The structure of the guides that pyx12 has no map for, as tables: 837D (005010X224A2), 270 (005010X279A1), 276 (005010X212).

A table holds what our writers write, in the guide's order; what the guide has beside it is not in it and not written. One row
is a segment or a `loop`, or `use` of a fragment; a loop's rows stand deeper. Then R or S (required or situational), how
often (`*` without bound), and for a segment its elements: place, `!` required or `?` situational or `@` required and what
the row is told apart by, then `=` codes, or a kind with its least and most characters: A text, N digits, R decimal, D
date, T time, C composite, P repeated. An element that is not listed is not used.
"""

from __future__ import annotations

from x12.structure_rules import LoopRule, loop_of

_RESPONSIBILITIES = "=A,B,C,D,E,F,G,H,P,S,T,U"
_FILING = "=11,12,13,14,15,16,17,AM,BL,CH,CI,DS,FI,HM,LM,MA,MB,MC,OF,TV,VA,WC,ZZ"
_NAME = "03!A1-60 04?A1-35 05?A1-25 07?A1-10"
_CAS = "CAS S 5 01!=CO,CR,OA,PI,PR " + " ".join(
    f"{place:02d}{'!' if place < 4 else '?'}{('A1-5', 'R1-18', 'R1-15')[(place - 2) % 3]}" for place in range(2, 20)
)

FRAGMENTS = {
    "address": """
N3 R 1 01!A1-55 02?A1-55
N4 R 1 01!A2-30 02?A2-2 03?A3-15 04?A2-3
""",
    "address, if known": """
N3 S 1 01!A1-55 02?A1-55
N4 S 1 01!A2-30 02?A2-2 03?A3-15 04?A2-3
""",
    "adjustments": _CAS,
    "dental claim": f"""
CLM R 1 01!A1-20 02!R1-18 05!C4-6 06!=N,Y 07!=A,B,C 08!=N,W,Y 09!=I,Y 11?C2-20 12?=01,02,03,05 19?=PB 20?A1-2
DTP S 1 01@439 02!=D8 03!D
DTP S 1 01@452 02!=D8 03!D
DTP S 1 01@472 02!=D8,RD8 03!A8-17
DN1 S 1 01?N1-15 02?N1-15 04?=Y
DN2 S 35 01!A1-50 02!=E,M 06!=JP
PWK S 10 01!A2-2 02!=AA,BM,EL,EM,FT,FX 05?=AC 06?A2-80
AMT S 1 01@F5 02!R1-18
REF S 1 01@G3 02!A1-50
REF S 1 01@F8 02!A1-50
REF S 1 01@9F 02!A1-50
REF S 1 01@G1 02!A1-50
NTE S 5 01!=ADD 02!A1-80
HI S 1 01!C5-40 02?C5-40 03?C5-40 04?C5-40
loop 2310A S 2
  NM1 R 1 01@DN,P3 02!=1 {_NAME} 08?=XX 09?N10-10
loop 2310B S 1
  NM1 R 1 01@82 02!=1,2 {_NAME} 08?=XX 09?N10-10
  PRV S 1 01!=PE 02!=PXC 03!A10-10
loop 2310C S 1
  NM1 R 1 01@77 02!=2 03!A1-60 08?=XX 09?N10-10
  use address
loop 2310D S 1
  NM1 R 1 01@DD 02!=1,2 {_NAME} 08?=XX 09?N10-10
  PRV S 1 01!=AS 02!=PXC 03!A10-10
loop 2310E S 1
  NM1 R 1 01@DQ 02!=1 {_NAME} 08?=XX 09?N10-10
loop 2320 S 10
  SBR R 1 01!{_RESPONSIBILITIES} 02!=01,18,19,20,21,39,40,53,G8 03?A1-50 04?A1-60 09?{_FILING}
  use adjustments
  AMT S 1 01@D 02!R1-18
  AMT S 1 01@A8 02!R1-18
  AMT S 1 01@EAF 02!R1-18
  OI R 1 03!=N,W,Y 06!=I,Y
  MOA S 1 03?A2-5 04?A2-5 05?A2-5 06?A2-5 07?A2-5
  loop 2330A R 1
    NM1 R 1 01@IL 02!=1,2 {_NAME} 08!=II,MI 09!A2-80
    use address, if known
  loop 2330B R 1
    NM1 R 1 01@PR 02!=2 03!A1-60 08!=PI,XV 09!A2-80
    use address, if known
    DTP S 1 01@573 02!=D8 03!D
    REF S 1 01@G1 02!A1-50
    REF S 1 01@F8 02!A1-50
loop 2400 R 50
  LX R 1 01!N1-6
  SV3 R 1 01!C5-60 02!R1-18 03?A1-2 04?C1-20 05?=I,R 06?N1-15 11?C1-11
  TOO S 32 01!=JP 02?A1-30 03?C1-10
  DTP S 1 01@472 02!=D8,RD8 03!A8-17
  DTP S 1 01@441 02!=D8 03!D
  REF S 1 01@6R 02!A1-30
  loop 2420A S 1
    NM1 R 1 01@82 02!=1,2 {_NAME} 08?=XX 09?N10-10
    PRV S 1 01!=PE 02!=PXC 03!A10-10
  loop 2430 S 15
    SVD R 1 01!A2-80 02!R1-18 03!C5-60 05!R1-15 06?N1-6
    use adjustments
    DTP R 1 01@573 02!=D8 03!D
    AMT S 1 01@EAF 02!R1-18
""",
    "person asked about": """
DMG S 1 01!=D8 02!D 03?=F,M
DTP S 2 01@291 02!=D8,RD8 03!A8-17
""",
    "status question": """
TRN R 1 01!=1 02!A1-50
REF S 1 01@1K 02!A1-50
REF S 1 01@BLT 02!N3-3
REF S 1 01@EJ 02!A1-50
AMT S 1 01@T3 02!R1-18
DTP S 1 01@472 02!=D8,RD8 03!A8-17
""",
}

_DENTAL = f"""
BHT R 1 01!=0019 02!=00,18 03!A1-50 04!D8-8 05!T4-8 06!=31,CH,RP
loop 1000A R 1
  NM1 R 1 01@41 02!=1,2 03!A1-60 04?A1-35 05?A1-25 08!=46 09!A2-80
  PER R 2 01!=IC 02?A1-60 03!=EM,FX,TE 04!A1-256
loop 1000B R 1
  NM1 R 1 01@40 02!=2 03!A1-60 08!=46 09!A2-80
loop 2000A R *
  HL R 1 01!N1-12 03@20 04!=1
  PRV S 1 01!=BI 02!=PXC 03!A10-10
  loop 2010AA R 1
    NM1 R 1 01@85 02!=1,2 {_NAME} 08?=XX 09?N10-10
    use address
    REF R 1 01@EI,SY 02!A1-50
  loop 2010AB S 1
    NM1 R 1 01@87 02!=1,2
    use address
  loop 2000B R *
    HL R 1 01!N1-12 02!N1-12 03@22 04!=0,1
    SBR R 1 01!{_RESPONSIBILITIES} 02?=18 03?A1-50 04?A1-60 09?{_FILING}
    loop 2010BA R 1
      NM1 R 1 01@IL 02!=1,2 {_NAME} 08!=II,MI 09!A2-80
      use address, if known
      DMG S 1 01!=D8 02!D 03!=F,M,U
      REF S 1 01@Y4 02!A1-50
    loop 2010BB R 1
      NM1 R 1 01@PR 02!=2 03!A1-60 08!=PI,XV 09!A2-80
      use address, if known
    loop 2300 S 100
      use dental claim
    loop 2000C S *
      HL R 1 01!N1-12 02!N1-12 03@23 04!=0
      PAT R 1 01!=01,19,20,21,39,40,53,G8
      loop 2010CA R 1
        NM1 R 1 01@QC 02!=1 {_NAME}
        use address
        DMG R 1 01!=D8 02!D 03!=F,M,U
        REF S 1 01@Y4 02!A1-50
      loop 2300 R 100
        use dental claim
"""

_ELIGIBILITY = f"""
BHT R 1 01!=0022 02!=01,13 03?A1-50 04!D8-8 05!T4-8 06?=RT
loop 2000A R *
  HL R 1 01!N1-12 03@20 04!=1
  NM1 R 1 01@2B,36,GP,P5,PR 02!=1,2 {_NAME} 08!=24,46,FI,NI,PI,XV,XX 09!A2-80
  loop 2000B R *
    HL R 1 01!N1-12 02!N1-12 03@21 04!=1
    NM1 R 1 01@1P 02!=1,2 {_NAME} 08!=XX 09!N10-10
    loop 2000C R *
      HL R 1 01!N1-12 02!N1-12 03@22 04!=0,1
      TRN S 2 01!=1 02!A1-50 03!A10-10
      NM1 R 1 01@IL 02!=1,2 03?A1-60 04?A1-35 05?A1-25 08?=II,MI 09?A2-80
      use person asked about
      loop 2110C S 99
        EQ R 1 01!P1-2
      loop 2000D S *
        HL R 1 01!N1-12 02!N1-12 03@23 04!=0
        TRN R 2 01!=1 02!A1-50 03!A10-10
        NM1 R 1 01@03 02!=1 03?A1-60 04?A1-35 05?A1-25
        use person asked about
        loop 2110D R 99
          EQ R 1 01!P1-2
"""

_STATUS = f"""
BHT R 1 01!=0010 02!=13 03!A1-50 04!D8-8 05!T4-8
loop 2000A R *
  HL R 1 01!N1-12 03@20 04!=1
  NM1 R 1 01@PR 02!=2 03!A1-60 08!=PI,XV 09!A2-80
  loop 2000B R *
    HL R 1 01!N1-12 02!N1-12 03@21 04!=1
    NM1 R 1 01@41 02!=1,2 03?A1-60 04?A1-35 05?A1-25 08!=46 09!A2-80
    loop 2000C R *
      HL R 1 01!N1-12 02!N1-12 03@19 04!=1
      NM1 R 2 01@1P 02!=1,2 {_NAME} 08!=FI,SV,XX 09!A2-80
      loop 2000D R *
        HL R 1 01!N1-12 02!N1-12 03@22 04!=0,1
        DMG S 1 01!=D8 02!D 03?=F,M
        NM1 R 1 01@IL 02!=1,2 {_NAME} 08!=24,II,MI 09!A2-80
        loop 2200D S *
          use status question
        loop 2000E S *
          HL R 1 01!N1-12 02!N1-12 03@23
          DMG R 1 01!=D8 02!D 03?=F,M
          NM1 R 1 01@QC 02!=1 {_NAME}
          loop 2200E R *
            use status question
"""

STRUCTURES: dict[str, LoopRule] = {
    "005010X224A2": loop_of("837", _DENTAL, FRAGMENTS),
    "005010X279A1": loop_of("270", _ELIGIBILITY, FRAGMENTS),
    "005010X212": loop_of("276", _STATUS, FRAGMENTS),
}
