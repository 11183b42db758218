<resource schema="unwise_dr1" resdir="unwise_dr1">
  <meta name="title">unWISE as Data Lab has it</meta>
  <meta name="creationDate">2024-01-01T00:00:00Z</meta>
  <meta name="description">Names, types and units of an archive's tables; rows are added by the tests.</meta>
  <meta name="creator">Nobody, N.</meta>
  <meta name="subject">stars</meta>

  <table id="object" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="unwise_objid" type="text" ucd="meta.id;meta.main"/>
    <column name="ra" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dec" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="flux_w1" type="real" ucd="phot.flux"/>
    <column name="flux_w2" type="real" ucd="phot.flux"/>
    <column name="dflux_w1" type="real" ucd="stat.error"/>
    <column name="dflux_w2" type="real" ucd="stat.error"/>
    <column name="mag_w1_vg" type="real" unit="mag" ucd="phot.mag;em.IR.3-4um"/>
    <column name="mag_w2_vg" type="real" unit="mag" ucd="phot.mag;em.IR.4-8um"/>
    <column name="quoted/primary" type="integer" ucd="meta.code"><values nullLiteral="-9999"/></column>
  </table>

  <data id="import">
    <make table="object"/>
  </data>
</resource>
