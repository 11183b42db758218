<resource schema="jplus" resdir="jplus">
  <meta name="title">J-PLUS as CEFCA has it</meta>
  <meta name="creationDate">2024-01-01T00:00:00Z</meta>
  <meta name="description">Names, types and units of an archive's tables; rows are added by the tests.</meta>
  <meta name="creator">Nobody, N.</meta>
  <meta name="subject">stars</meta>

  <table id="magabdualobj" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="tile_id" type="integer" ucd="meta.id"><values nullLiteral="-9999"/></column>
    <column name="number" type="integer" ucd="meta.id"><values nullLiteral="-9999"/></column>
    <column name="alpha_j2000" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="delta_j2000" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="class_star" type="real" ucd="meta.code.class"/>
    <column name="flags" type="integer[12]" ucd="meta.code.qual"/>
    <column name="mask_flags" type="integer[12]" ucd="meta.code.qual"/>
    <column name="mag_aper_6_0" type="real[12]" unit="mag" ucd="phot.mag"/>
    <column name="mag_err_aper_6_0" type="real[12]" unit="mag" ucd="stat.error;phot.mag"/>
  </table>

  <table id="xmatch_gaia_dr3" onDisk="True" adql="True">
    <column name="tile_id" type="integer" ucd="meta.id"><values nullLiteral="-9999"/></column>
    <column name="number" type="integer" ucd="meta.id"><values nullLiteral="-9999"/></column>
    <column name="source" type="bigint" ucd="meta.id.cross"><values nullLiteral="-9999"/></column>
  </table>

  <table id="filter" onDisk="True" adql="True">
    <column name="filter_id" type="integer" ucd="meta.id;meta.main"><values nullLiteral="-9999"/></column>
    <column name="name" type="text" ucd="instr.bandpass"/>
  </table>

  <data id="import">
    <make table="magabdualobj"/>
    <make table="xmatch_gaia_dr3"/>
    <make table="filter"/>
  </data>
</resource>
