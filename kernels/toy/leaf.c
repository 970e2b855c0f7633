// SPDX-License-Identifier: GPL-2.0-only
/* 320 functions to patch at once, called through a table. Made by leaf.awk. */
#include <toy/defs.h>

u32 leaf_000(u32 x) { return 31 * x + 0; }
u32 leaf_001(u32 x) { return 31 * x + 1; }
u32 leaf_002(u32 x) { return 31 * x + 2; }
u32 leaf_003(u32 x) { return 31 * x + 3; }
u32 leaf_004(u32 x) { return 31 * x + 4; }
u32 leaf_005(u32 x) { return 31 * x + 5; }
u32 leaf_006(u32 x) { return 31 * x + 6; }
u32 leaf_007(u32 x) { return 31 * x + 7; }
u32 leaf_008(u32 x) { return 31 * x + 8; }
u32 leaf_009(u32 x) { return 31 * x + 9; }
u32 leaf_010(u32 x) { return 31 * x + 10; }
u32 leaf_011(u32 x) { return 31 * x + 11; }
u32 leaf_012(u32 x) { return 31 * x + 12; }
u32 leaf_013(u32 x) { return 31 * x + 13; }
u32 leaf_014(u32 x) { return 31 * x + 14; }
u32 leaf_015(u32 x) { return 31 * x + 15; }
u32 leaf_016(u32 x) { return 31 * x + 16; }
u32 leaf_017(u32 x) { return 31 * x + 17; }
u32 leaf_018(u32 x) { return 31 * x + 18; }
u32 leaf_019(u32 x) { return 31 * x + 19; }
u32 leaf_020(u32 x) { return 31 * x + 20; }
u32 leaf_021(u32 x) { return 31 * x + 21; }
u32 leaf_022(u32 x) { return 31 * x + 22; }
u32 leaf_023(u32 x) { return 31 * x + 23; }
u32 leaf_024(u32 x) { return 31 * x + 24; }
u32 leaf_025(u32 x) { return 31 * x + 25; }
u32 leaf_026(u32 x) { return 31 * x + 26; }
u32 leaf_027(u32 x) { return 31 * x + 27; }
u32 leaf_028(u32 x) { return 31 * x + 28; }
u32 leaf_029(u32 x) { return 31 * x + 29; }
u32 leaf_030(u32 x) { return 31 * x + 30; }
u32 leaf_031(u32 x) { return 31 * x + 31; }
u32 leaf_032(u32 x) { return 31 * x + 32; }
u32 leaf_033(u32 x) { return 31 * x + 33; }
u32 leaf_034(u32 x) { return 31 * x + 34; }
u32 leaf_035(u32 x) { return 31 * x + 35; }
u32 leaf_036(u32 x) { return 31 * x + 36; }
u32 leaf_037(u32 x) { return 31 * x + 37; }
u32 leaf_038(u32 x) { return 31 * x + 38; }
u32 leaf_039(u32 x) { return 31 * x + 39; }
u32 leaf_040(u32 x) { return 31 * x + 40; }
u32 leaf_041(u32 x) { return 31 * x + 41; }
u32 leaf_042(u32 x) { return 31 * x + 42; }
u32 leaf_043(u32 x) { return 31 * x + 43; }
u32 leaf_044(u32 x) { return 31 * x + 44; }
u32 leaf_045(u32 x) { return 31 * x + 45; }
u32 leaf_046(u32 x) { return 31 * x + 46; }
u32 leaf_047(u32 x) { return 31 * x + 47; }
u32 leaf_048(u32 x) { return 31 * x + 48; }
u32 leaf_049(u32 x) { return 31 * x + 49; }
u32 leaf_050(u32 x) { return 31 * x + 50; }
u32 leaf_051(u32 x) { return 31 * x + 51; }
u32 leaf_052(u32 x) { return 31 * x + 52; }
u32 leaf_053(u32 x) { return 31 * x + 53; }
u32 leaf_054(u32 x) { return 31 * x + 54; }
u32 leaf_055(u32 x) { return 31 * x + 55; }
u32 leaf_056(u32 x) { return 31 * x + 56; }
u32 leaf_057(u32 x) { return 31 * x + 57; }
u32 leaf_058(u32 x) { return 31 * x + 58; }
u32 leaf_059(u32 x) { return 31 * x + 59; }
u32 leaf_060(u32 x) { return 31 * x + 60; }
u32 leaf_061(u32 x) { return 31 * x + 61; }
u32 leaf_062(u32 x) { return 31 * x + 62; }
u32 leaf_063(u32 x) { return 31 * x + 63; }
u32 leaf_064(u32 x) { return 31 * x + 64; }
u32 leaf_065(u32 x) { return 31 * x + 65; }
u32 leaf_066(u32 x) { return 31 * x + 66; }
u32 leaf_067(u32 x) { return 31 * x + 67; }
u32 leaf_068(u32 x) { return 31 * x + 68; }
u32 leaf_069(u32 x) { return 31 * x + 69; }
u32 leaf_070(u32 x) { return 31 * x + 70; }
u32 leaf_071(u32 x) { return 31 * x + 71; }
u32 leaf_072(u32 x) { return 31 * x + 72; }
u32 leaf_073(u32 x) { return 31 * x + 73; }
u32 leaf_074(u32 x) { return 31 * x + 74; }
u32 leaf_075(u32 x) { return 31 * x + 75; }
u32 leaf_076(u32 x) { return 31 * x + 76; }
u32 leaf_077(u32 x) { return 31 * x + 77; }
u32 leaf_078(u32 x) { return 31 * x + 78; }
u32 leaf_079(u32 x) { return 31 * x + 79; }
u32 leaf_080(u32 x) { return 31 * x + 80; }
u32 leaf_081(u32 x) { return 31 * x + 81; }
u32 leaf_082(u32 x) { return 31 * x + 82; }
u32 leaf_083(u32 x) { return 31 * x + 83; }
u32 leaf_084(u32 x) { return 31 * x + 84; }
u32 leaf_085(u32 x) { return 31 * x + 85; }
u32 leaf_086(u32 x) { return 31 * x + 86; }
u32 leaf_087(u32 x) { return 31 * x + 87; }
u32 leaf_088(u32 x) { return 31 * x + 88; }
u32 leaf_089(u32 x) { return 31 * x + 89; }
u32 leaf_090(u32 x) { return 31 * x + 90; }
u32 leaf_091(u32 x) { return 31 * x + 91; }
u32 leaf_092(u32 x) { return 31 * x + 92; }
u32 leaf_093(u32 x) { return 31 * x + 93; }
u32 leaf_094(u32 x) { return 31 * x + 94; }
u32 leaf_095(u32 x) { return 31 * x + 95; }
u32 leaf_096(u32 x) { return 31 * x + 96; }
u32 leaf_097(u32 x) { return 31 * x + 97; }
u32 leaf_098(u32 x) { return 31 * x + 98; }
u32 leaf_099(u32 x) { return 31 * x + 99; }
u32 leaf_100(u32 x) { return 31 * x + 100; }
u32 leaf_101(u32 x) { return 31 * x + 101; }
u32 leaf_102(u32 x) { return 31 * x + 102; }
u32 leaf_103(u32 x) { return 31 * x + 103; }
u32 leaf_104(u32 x) { return 31 * x + 104; }
u32 leaf_105(u32 x) { return 31 * x + 105; }
u32 leaf_106(u32 x) { return 31 * x + 106; }
u32 leaf_107(u32 x) { return 31 * x + 107; }
u32 leaf_108(u32 x) { return 31 * x + 108; }
u32 leaf_109(u32 x) { return 31 * x + 109; }
u32 leaf_110(u32 x) { return 31 * x + 110; }
u32 leaf_111(u32 x) { return 31 * x + 111; }
u32 leaf_112(u32 x) { return 31 * x + 112; }
u32 leaf_113(u32 x) { return 31 * x + 113; }
u32 leaf_114(u32 x) { return 31 * x + 114; }
u32 leaf_115(u32 x) { return 31 * x + 115; }
u32 leaf_116(u32 x) { return 31 * x + 116; }
u32 leaf_117(u32 x) { return 31 * x + 117; }
u32 leaf_118(u32 x) { return 31 * x + 118; }
u32 leaf_119(u32 x) { return 31 * x + 119; }
u32 leaf_120(u32 x) { return 31 * x + 120; }
u32 leaf_121(u32 x) { return 31 * x + 121; }
u32 leaf_122(u32 x) { return 31 * x + 122; }
u32 leaf_123(u32 x) { return 31 * x + 123; }
u32 leaf_124(u32 x) { return 31 * x + 124; }
u32 leaf_125(u32 x) { return 31 * x + 125; }
u32 leaf_126(u32 x) { return 31 * x + 126; }
u32 leaf_127(u32 x) { return 31 * x + 127; }
u32 leaf_128(u32 x) { return 31 * x + 128; }
u32 leaf_129(u32 x) { return 31 * x + 129; }
u32 leaf_130(u32 x) { return 31 * x + 130; }
u32 leaf_131(u32 x) { return 31 * x + 131; }
u32 leaf_132(u32 x) { return 31 * x + 132; }
u32 leaf_133(u32 x) { return 31 * x + 133; }
u32 leaf_134(u32 x) { return 31 * x + 134; }
u32 leaf_135(u32 x) { return 31 * x + 135; }
u32 leaf_136(u32 x) { return 31 * x + 136; }
u32 leaf_137(u32 x) { return 31 * x + 137; }
u32 leaf_138(u32 x) { return 31 * x + 138; }
u32 leaf_139(u32 x) { return 31 * x + 139; }
u32 leaf_140(u32 x) { return 31 * x + 140; }
u32 leaf_141(u32 x) { return 31 * x + 141; }
u32 leaf_142(u32 x) { return 31 * x + 142; }
u32 leaf_143(u32 x) { return 31 * x + 143; }
u32 leaf_144(u32 x) { return 31 * x + 144; }
u32 leaf_145(u32 x) { return 31 * x + 145; }
u32 leaf_146(u32 x) { return 31 * x + 146; }
u32 leaf_147(u32 x) { return 31 * x + 147; }
u32 leaf_148(u32 x) { return 31 * x + 148; }
u32 leaf_149(u32 x) { return 31 * x + 149; }
u32 leaf_150(u32 x) { return 31 * x + 150; }
u32 leaf_151(u32 x) { return 31 * x + 151; }
u32 leaf_152(u32 x) { return 31 * x + 152; }
u32 leaf_153(u32 x) { return 31 * x + 153; }
u32 leaf_154(u32 x) { return 31 * x + 154; }
u32 leaf_155(u32 x) { return 31 * x + 155; }
u32 leaf_156(u32 x) { return 31 * x + 156; }
u32 leaf_157(u32 x) { return 31 * x + 157; }
u32 leaf_158(u32 x) { return 31 * x + 158; }
u32 leaf_159(u32 x) { return 31 * x + 159; }
u32 leaf_160(u32 x) { return 31 * x + 160; }
u32 leaf_161(u32 x) { return 31 * x + 161; }
u32 leaf_162(u32 x) { return 31 * x + 162; }
u32 leaf_163(u32 x) { return 31 * x + 163; }
u32 leaf_164(u32 x) { return 31 * x + 164; }
u32 leaf_165(u32 x) { return 31 * x + 165; }
u32 leaf_166(u32 x) { return 31 * x + 166; }
u32 leaf_167(u32 x) { return 31 * x + 167; }
u32 leaf_168(u32 x) { return 31 * x + 168; }
u32 leaf_169(u32 x) { return 31 * x + 169; }
u32 leaf_170(u32 x) { return 31 * x + 170; }
u32 leaf_171(u32 x) { return 31 * x + 171; }
u32 leaf_172(u32 x) { return 31 * x + 172; }
u32 leaf_173(u32 x) { return 31 * x + 173; }
u32 leaf_174(u32 x) { return 31 * x + 174; }
u32 leaf_175(u32 x) { return 31 * x + 175; }
u32 leaf_176(u32 x) { return 31 * x + 176; }
u32 leaf_177(u32 x) { return 31 * x + 177; }
u32 leaf_178(u32 x) { return 31 * x + 178; }
u32 leaf_179(u32 x) { return 31 * x + 179; }
u32 leaf_180(u32 x) { return 31 * x + 180; }
u32 leaf_181(u32 x) { return 31 * x + 181; }
u32 leaf_182(u32 x) { return 31 * x + 182; }
u32 leaf_183(u32 x) { return 31 * x + 183; }
u32 leaf_184(u32 x) { return 31 * x + 184; }
u32 leaf_185(u32 x) { return 31 * x + 185; }
u32 leaf_186(u32 x) { return 31 * x + 186; }
u32 leaf_187(u32 x) { return 31 * x + 187; }
u32 leaf_188(u32 x) { return 31 * x + 188; }
u32 leaf_189(u32 x) { return 31 * x + 189; }
u32 leaf_190(u32 x) { return 31 * x + 190; }
u32 leaf_191(u32 x) { return 31 * x + 191; }
u32 leaf_192(u32 x) { return 31 * x + 192; }
u32 leaf_193(u32 x) { return 31 * x + 193; }
u32 leaf_194(u32 x) { return 31 * x + 194; }
u32 leaf_195(u32 x) { return 31 * x + 195; }
u32 leaf_196(u32 x) { return 31 * x + 196; }
u32 leaf_197(u32 x) { return 31 * x + 197; }
u32 leaf_198(u32 x) { return 31 * x + 198; }
u32 leaf_199(u32 x) { return 31 * x + 199; }
u32 leaf_200(u32 x) { return 31 * x + 200; }
u32 leaf_201(u32 x) { return 31 * x + 201; }
u32 leaf_202(u32 x) { return 31 * x + 202; }
u32 leaf_203(u32 x) { return 31 * x + 203; }
u32 leaf_204(u32 x) { return 31 * x + 204; }
u32 leaf_205(u32 x) { return 31 * x + 205; }
u32 leaf_206(u32 x) { return 31 * x + 206; }
u32 leaf_207(u32 x) { return 31 * x + 207; }
u32 leaf_208(u32 x) { return 31 * x + 208; }
u32 leaf_209(u32 x) { return 31 * x + 209; }
u32 leaf_210(u32 x) { return 31 * x + 210; }
u32 leaf_211(u32 x) { return 31 * x + 211; }
u32 leaf_212(u32 x) { return 31 * x + 212; }
u32 leaf_213(u32 x) { return 31 * x + 213; }
u32 leaf_214(u32 x) { return 31 * x + 214; }
u32 leaf_215(u32 x) { return 31 * x + 215; }
u32 leaf_216(u32 x) { return 31 * x + 216; }
u32 leaf_217(u32 x) { return 31 * x + 217; }
u32 leaf_218(u32 x) { return 31 * x + 218; }
u32 leaf_219(u32 x) { return 31 * x + 219; }
u32 leaf_220(u32 x) { return 31 * x + 220; }
u32 leaf_221(u32 x) { return 31 * x + 221; }
u32 leaf_222(u32 x) { return 31 * x + 222; }
u32 leaf_223(u32 x) { return 31 * x + 223; }
u32 leaf_224(u32 x) { return 31 * x + 224; }
u32 leaf_225(u32 x) { return 31 * x + 225; }
u32 leaf_226(u32 x) { return 31 * x + 226; }
u32 leaf_227(u32 x) { return 31 * x + 227; }
u32 leaf_228(u32 x) { return 31 * x + 228; }
u32 leaf_229(u32 x) { return 31 * x + 229; }
u32 leaf_230(u32 x) { return 31 * x + 230; }
u32 leaf_231(u32 x) { return 31 * x + 231; }
u32 leaf_232(u32 x) { return 31 * x + 232; }
u32 leaf_233(u32 x) { return 31 * x + 233; }
u32 leaf_234(u32 x) { return 31 * x + 234; }
u32 leaf_235(u32 x) { return 31 * x + 235; }
u32 leaf_236(u32 x) { return 31 * x + 236; }
u32 leaf_237(u32 x) { return 31 * x + 237; }
u32 leaf_238(u32 x) { return 31 * x + 238; }
u32 leaf_239(u32 x) { return 31 * x + 239; }
u32 leaf_240(u32 x) { return 31 * x + 240; }
u32 leaf_241(u32 x) { return 31 * x + 241; }
u32 leaf_242(u32 x) { return 31 * x + 242; }
u32 leaf_243(u32 x) { return 31 * x + 243; }
u32 leaf_244(u32 x) { return 31 * x + 244; }
u32 leaf_245(u32 x) { return 31 * x + 245; }
u32 leaf_246(u32 x) { return 31 * x + 246; }
u32 leaf_247(u32 x) { return 31 * x + 247; }
u32 leaf_248(u32 x) { return 31 * x + 248; }
u32 leaf_249(u32 x) { return 31 * x + 249; }
u32 leaf_250(u32 x) { return 31 * x + 250; }
u32 leaf_251(u32 x) { return 31 * x + 251; }
u32 leaf_252(u32 x) { return 31 * x + 252; }
u32 leaf_253(u32 x) { return 31 * x + 253; }
u32 leaf_254(u32 x) { return 31 * x + 254; }
u32 leaf_255(u32 x) { return 31 * x + 255; }
u32 leaf_256(u32 x) { return 31 * x + 256; }
u32 leaf_257(u32 x) { return 31 * x + 257; }
u32 leaf_258(u32 x) { return 31 * x + 258; }
u32 leaf_259(u32 x) { return 31 * x + 259; }
u32 leaf_260(u32 x) { return 31 * x + 260; }
u32 leaf_261(u32 x) { return 31 * x + 261; }
u32 leaf_262(u32 x) { return 31 * x + 262; }
u32 leaf_263(u32 x) { return 31 * x + 263; }
u32 leaf_264(u32 x) { return 31 * x + 264; }
u32 leaf_265(u32 x) { return 31 * x + 265; }
u32 leaf_266(u32 x) { return 31 * x + 266; }
u32 leaf_267(u32 x) { return 31 * x + 267; }
u32 leaf_268(u32 x) { return 31 * x + 268; }
u32 leaf_269(u32 x) { return 31 * x + 269; }
u32 leaf_270(u32 x) { return 31 * x + 270; }
u32 leaf_271(u32 x) { return 31 * x + 271; }
u32 leaf_272(u32 x) { return 31 * x + 272; }
u32 leaf_273(u32 x) { return 31 * x + 273; }
u32 leaf_274(u32 x) { return 31 * x + 274; }
u32 leaf_275(u32 x) { return 31 * x + 275; }
u32 leaf_276(u32 x) { return 31 * x + 276; }
u32 leaf_277(u32 x) { return 31 * x + 277; }
u32 leaf_278(u32 x) { return 31 * x + 278; }
u32 leaf_279(u32 x) { return 31 * x + 279; }
u32 leaf_280(u32 x) { return 31 * x + 280; }
u32 leaf_281(u32 x) { return 31 * x + 281; }
u32 leaf_282(u32 x) { return 31 * x + 282; }
u32 leaf_283(u32 x) { return 31 * x + 283; }
u32 leaf_284(u32 x) { return 31 * x + 284; }
u32 leaf_285(u32 x) { return 31 * x + 285; }
u32 leaf_286(u32 x) { return 31 * x + 286; }
u32 leaf_287(u32 x) { return 31 * x + 287; }
u32 leaf_288(u32 x) { return 31 * x + 288; }
u32 leaf_289(u32 x) { return 31 * x + 289; }
u32 leaf_290(u32 x) { return 31 * x + 290; }
u32 leaf_291(u32 x) { return 31 * x + 291; }
u32 leaf_292(u32 x) { return 31 * x + 292; }
u32 leaf_293(u32 x) { return 31 * x + 293; }
u32 leaf_294(u32 x) { return 31 * x + 294; }
u32 leaf_295(u32 x) { return 31 * x + 295; }
u32 leaf_296(u32 x) { return 31 * x + 296; }
u32 leaf_297(u32 x) { return 31 * x + 297; }
u32 leaf_298(u32 x) { return 31 * x + 298; }
u32 leaf_299(u32 x) { return 31 * x + 299; }
u32 leaf_300(u32 x) { return 31 * x + 300; }
u32 leaf_301(u32 x) { return 31 * x + 301; }
u32 leaf_302(u32 x) { return 31 * x + 302; }
u32 leaf_303(u32 x) { return 31 * x + 303; }
u32 leaf_304(u32 x) { return 31 * x + 304; }
u32 leaf_305(u32 x) { return 31 * x + 305; }
u32 leaf_306(u32 x) { return 31 * x + 306; }
u32 leaf_307(u32 x) { return 31 * x + 307; }
u32 leaf_308(u32 x) { return 31 * x + 308; }
u32 leaf_309(u32 x) { return 31 * x + 309; }
u32 leaf_310(u32 x) { return 31 * x + 310; }
u32 leaf_311(u32 x) { return 31 * x + 311; }
u32 leaf_312(u32 x) { return 31 * x + 312; }
u32 leaf_313(u32 x) { return 31 * x + 313; }
u32 leaf_314(u32 x) { return 31 * x + 314; }
u32 leaf_315(u32 x) { return 31 * x + 315; }
u32 leaf_316(u32 x) { return 31 * x + 316; }
u32 leaf_317(u32 x) { return 31 * x + 317; }
u32 leaf_318(u32 x) { return 31 * x + 318; }
u32 leaf_319(u32 x) { return 31 * x + 319; }

u32 (*const leaf_table[LEAVES])(u32 x) = {
	leaf_000, leaf_001, leaf_002, leaf_003, leaf_004,
	leaf_005, leaf_006, leaf_007, leaf_008, leaf_009,
	leaf_010, leaf_011, leaf_012, leaf_013, leaf_014,
	leaf_015, leaf_016, leaf_017, leaf_018, leaf_019,
	leaf_020, leaf_021, leaf_022, leaf_023, leaf_024,
	leaf_025, leaf_026, leaf_027, leaf_028, leaf_029,
	leaf_030, leaf_031, leaf_032, leaf_033, leaf_034,
	leaf_035, leaf_036, leaf_037, leaf_038, leaf_039,
	leaf_040, leaf_041, leaf_042, leaf_043, leaf_044,
	leaf_045, leaf_046, leaf_047, leaf_048, leaf_049,
	leaf_050, leaf_051, leaf_052, leaf_053, leaf_054,
	leaf_055, leaf_056, leaf_057, leaf_058, leaf_059,
	leaf_060, leaf_061, leaf_062, leaf_063, leaf_064,
	leaf_065, leaf_066, leaf_067, leaf_068, leaf_069,
	leaf_070, leaf_071, leaf_072, leaf_073, leaf_074,
	leaf_075, leaf_076, leaf_077, leaf_078, leaf_079,
	leaf_080, leaf_081, leaf_082, leaf_083, leaf_084,
	leaf_085, leaf_086, leaf_087, leaf_088, leaf_089,
	leaf_090, leaf_091, leaf_092, leaf_093, leaf_094,
	leaf_095, leaf_096, leaf_097, leaf_098, leaf_099,
	leaf_100, leaf_101, leaf_102, leaf_103, leaf_104,
	leaf_105, leaf_106, leaf_107, leaf_108, leaf_109,
	leaf_110, leaf_111, leaf_112, leaf_113, leaf_114,
	leaf_115, leaf_116, leaf_117, leaf_118, leaf_119,
	leaf_120, leaf_121, leaf_122, leaf_123, leaf_124,
	leaf_125, leaf_126, leaf_127, leaf_128, leaf_129,
	leaf_130, leaf_131, leaf_132, leaf_133, leaf_134,
	leaf_135, leaf_136, leaf_137, leaf_138, leaf_139,
	leaf_140, leaf_141, leaf_142, leaf_143, leaf_144,
	leaf_145, leaf_146, leaf_147, leaf_148, leaf_149,
	leaf_150, leaf_151, leaf_152, leaf_153, leaf_154,
	leaf_155, leaf_156, leaf_157, leaf_158, leaf_159,
	leaf_160, leaf_161, leaf_162, leaf_163, leaf_164,
	leaf_165, leaf_166, leaf_167, leaf_168, leaf_169,
	leaf_170, leaf_171, leaf_172, leaf_173, leaf_174,
	leaf_175, leaf_176, leaf_177, leaf_178, leaf_179,
	leaf_180, leaf_181, leaf_182, leaf_183, leaf_184,
	leaf_185, leaf_186, leaf_187, leaf_188, leaf_189,
	leaf_190, leaf_191, leaf_192, leaf_193, leaf_194,
	leaf_195, leaf_196, leaf_197, leaf_198, leaf_199,
	leaf_200, leaf_201, leaf_202, leaf_203, leaf_204,
	leaf_205, leaf_206, leaf_207, leaf_208, leaf_209,
	leaf_210, leaf_211, leaf_212, leaf_213, leaf_214,
	leaf_215, leaf_216, leaf_217, leaf_218, leaf_219,
	leaf_220, leaf_221, leaf_222, leaf_223, leaf_224,
	leaf_225, leaf_226, leaf_227, leaf_228, leaf_229,
	leaf_230, leaf_231, leaf_232, leaf_233, leaf_234,
	leaf_235, leaf_236, leaf_237, leaf_238, leaf_239,
	leaf_240, leaf_241, leaf_242, leaf_243, leaf_244,
	leaf_245, leaf_246, leaf_247, leaf_248, leaf_249,
	leaf_250, leaf_251, leaf_252, leaf_253, leaf_254,
	leaf_255, leaf_256, leaf_257, leaf_258, leaf_259,
	leaf_260, leaf_261, leaf_262, leaf_263, leaf_264,
	leaf_265, leaf_266, leaf_267, leaf_268, leaf_269,
	leaf_270, leaf_271, leaf_272, leaf_273, leaf_274,
	leaf_275, leaf_276, leaf_277, leaf_278, leaf_279,
	leaf_280, leaf_281, leaf_282, leaf_283, leaf_284,
	leaf_285, leaf_286, leaf_287, leaf_288, leaf_289,
	leaf_290, leaf_291, leaf_292, leaf_293, leaf_294,
	leaf_295, leaf_296, leaf_297, leaf_298, leaf_299,
	leaf_300, leaf_301, leaf_302, leaf_303, leaf_304,
	leaf_305, leaf_306, leaf_307, leaf_308, leaf_309,
	leaf_310, leaf_311, leaf_312, leaf_313, leaf_314,
	leaf_315, leaf_316, leaf_317, leaf_318, leaf_319,
};
