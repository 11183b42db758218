<resource schema="gaiadr1" resdir="gaiadr1">
  <meta name="title">2MASS and AllWISE as the Gaia archive has them</meta>
  <meta name="creationDate">2024-01-01T00:00:00Z</meta>
  <meta name="description">Names, types and units of an archive's tables; rows are added by the tests.</meta>
  <meta name="creator">Nobody, N.</meta>
  <meta name="subject">stars</meta>

  <table id="tmass_original_valid" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="designation" type="text" ucd="meta.id;meta.main"/>
    <column name="tmass_oid" type="bigint" ucd="meta.id"><values nullLiteral="-9999"/></column>
    <column name="ra" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dec" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="ph_qual" type="text" ucd="meta.code.qual"/>
    <column name="j_m" type="real" unit="mag" ucd="phot.mag;em.IR.J"/>
    <column name="j_msigcom" type="real" unit="mag" ucd="stat.error;phot.mag;em.IR.J"/>
    <column name="h_m" type="real" unit="mag" ucd="phot.mag;em.IR.H"/>
    <column name="h_msigcom" type="real" unit="mag" ucd="stat.error;phot.mag;em.IR.H"/>
    <column name="ks_m" type="real" unit="mag" ucd="phot.mag;em.IR.K"/>
    <column name="ks_msigcom" type="real" unit="mag" ucd="stat.error;phot.mag;em.IR.K"/>
  </table>

  <table id="allwise_original_valid" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="allwise_oid" type="bigint" ucd="meta.id;meta.main"><values nullLiteral="-9999"/></column>
    <column name="designation" type="text" ucd="meta.id"/>
    <column name="ra" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dec" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="w1mpro" type="real" unit="mag" ucd="phot.mag;em.IR.3-4um"/>
    <column name="w1mpro_error" type="real" unit="mag" ucd="stat.error;phot.mag;em.IR.3-4um"/>
    <column name="w2mpro" type="real" unit="mag" ucd="phot.mag;em.IR.4-8um"/>
    <column name="w2mpro_error" type="real" unit="mag" ucd="stat.error;phot.mag;em.IR.4-8um"/>
    <column name="cc_flags" type="text" ucd="meta.code.qual"/>
    <column name="ext_flag" type="integer" ucd="meta.code.qual"><values nullLiteral="-9999"/></column>
    <column name="var_flag" type="text" ucd="meta.code.qual"/>
    <column name="ph_qual" type="text" ucd="meta.code.qual"/>
  </table>

  <data id="import">
    <make table="tmass_original_valid"/>
    <make table="allwise_original_valid"/>
  </data>
</resource>
