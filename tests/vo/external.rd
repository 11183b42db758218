<resource schema="external" resdir="external">
  <meta name="title">Other catalogs as the Gaia archive has them</meta>
  <meta name="creationDate">2024-01-01T00:00:00Z</meta>
  <meta name="description">Names, types and units of an archive's tables; rows are added by the tests.</meta>
  <meta name="creator">Nobody, N.</meta>
  <meta name="subject">stars</meta>

  <table id="gaiaedr3_distance" onDisk="True" adql="True">
    <column name="source_id" type="bigint" ucd="meta.id;meta.main"><values nullLiteral="-9999"/></column>
    <column name="r_med_geo" type="real" unit="pc" ucd="pos.distance;stat.median"/>
    <column name="r_lo_geo" type="real" unit="pc" ucd="pos.distance;stat.min"/>
    <column name="r_hi_geo" type="real" unit="pc" ucd="pos.distance;stat.max"/>
    <column name="r_med_photogeo" type="real" unit="pc" ucd="pos.distance;stat.median"/>
    <column name="r_lo_photogeo" type="real" unit="pc" ucd="pos.distance;stat.min"/>
    <column name="r_hi_photogeo" type="real" unit="pc" ucd="pos.distance;stat.max"/>
    <column name="flag" type="text" ucd="meta.code.qual"/>
  </table>

  <table id="gaiadr2_geometric_distance" onDisk="True" adql="True">
    <column name="source_id" type="bigint" ucd="meta.id;meta.main"><values nullLiteral="-9999"/></column>
    <column name="r_est" type="real" unit="pc" ucd="pos.distance"/>
    <column name="r_lo" type="real" unit="pc" ucd="pos.distance;stat.min"/>
    <column name="r_hi" type="real" unit="pc" ucd="pos.distance;stat.max"/>
  </table>

  <table id="catwise2020" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="obj_id" type="text" ucd="meta.id;meta.main"/>
    <column name="ra_icrs" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="de_icrs" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="w1mpro_pm" type="real" unit="mag" ucd="phot.mag;em.IR.3-4um"/>
    <column name="e_w1mpro_pm" type="real" unit="mag" ucd="stat.error;phot.mag;em.IR.3-4um"/>
    <column name="w2mpro_pm" type="real" unit="mag" ucd="phot.mag;em.IR.4-8um"/>
    <column name="e_w2mpro_pm" type="real" unit="mag" ucd="stat.error;phot.mag;em.IR.4-8um"/>
  </table>

  <table id="lamost_dr9_lrs" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="obsid" type="bigint" ucd="meta.id;meta.main"><values nullLiteral="-9999"/></column>
    <column name="gp_id" type="text" ucd="meta.id.cross"/>
    <column name="lmjd" type="integer" unit="d" ucd="time.epoch"><values nullLiteral="-9999"/></column>
    <column name="planid" type="text" ucd="meta.id"/>
    <column name="spid" type="integer" ucd="meta.id"><values nullLiteral="-9999"/></column>
    <column name="fiberid" type="integer" ucd="meta.id"><values nullLiteral="-9999"/></column>
    <column name="ra" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dec" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="snrg" type="real" ucd="stat.snr"/>
    <column name="class" type="text" ucd="src.class"/>
    <column name="subclass" type="text" ucd="src.spType"/>
    <column name="z" type="real" ucd="src.redshift"/>
    <column name="fibermask" type="integer" ucd="meta.code.qual"><values nullLiteral="-9999"/></column>
  </table>

  <table id="lamost_dr9_mrs" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="mobsid" type="text" ucd="meta.id;meta.main"/>
    <column name="obsid" type="bigint" ucd="meta.id"><values nullLiteral="-9999"/></column>
    <column name="lmjd" type="integer" unit="d" ucd="time.epoch"><values nullLiteral="-9999"/></column>
    <column name="lmjm" type="bigint" unit="min" ucd="time.epoch"><values nullLiteral="-9999"/></column>
    <column name="planid" type="text" ucd="meta.id"/>
    <column name="spid" type="integer" ucd="meta.id"><values nullLiteral="-9999"/></column>
    <column name="fiberid" type="integer" ucd="meta.id"><values nullLiteral="-9999"/></column>
    <column name="band" type="text" ucd="instr.bandpass"/>
    <column name="ra" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dec" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="snr" type="real" ucd="stat.snr"/>
    <column name="rv_b1" type="real" unit="km.s**-1" ucd="spect.dopplerVeloc.opt"/>
    <column name="rv_r1" type="real" unit="km.s**-1" ucd="spect.dopplerVeloc.opt"/>
    <column name="coadd" type="integer" ucd="meta.code"><values nullLiteral="-9999"/></column>
    <column name="fibermask" type="integer" ucd="meta.code.qual"><values nullLiteral="-9999"/></column>
  </table>

  <data id="import">
    <make table="gaiaedr3_distance"/>
    <make table="gaiadr2_geometric_distance"/>
    <make table="catwise2020"/>
    <make table="lamost_dr9_lrs"/>
    <make table="lamost_dr9_mrs"/>
  </data>
</resource>
