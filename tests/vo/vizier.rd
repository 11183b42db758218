<resource schema="vizier" resdir="vizier">
  <meta name="title">Catalogs as VizieR has them, under names that DaCHS can have</meta>
  <meta name="creationDate">2024-01-01T00:00:00Z</meta>
  <meta name="description">Names, types and units of an archive's tables; rows are added by the tests.</meta>
  <meta name="creator">Nobody, N.</meta>
  <meta name="subject">stars</meta>

  <table id="v_164_stellar5" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="obsid" type="bigint" ucd="meta.id;meta.main"><values nullLiteral="-9999"/></column>
    <column name="raj2000" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dej2000" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="snrg" type="real" ucd="stat.snr"/>
    <column name="teff" type="real" unit="K" ucd="phys.temperature.effective"/>
    <column name="e_teff" type="real" unit="K" ucd="stat.error;phys.temperature.effective"/>
    <column name="logg" type="real" ucd="phys.gravity"/>
    <column name="e_logg" type="real" ucd="stat.error;phys.gravity"/>
    <column name="quoted/[Fe/H]" type="real" ucd="phys.abund.Fe"/>
    <column name="quoted/e_[Fe/H]" type="real" ucd="stat.error;phys.abund.Fe"/>
  </table>

  <table id="v_156_dr7slrs" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="obsid" type="bigint" ucd="meta.id;meta.main"><values nullLiteral="-9999"/></column>
    <column name="raj2000" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dej2000" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="snrg" type="real" ucd="stat.snr"/>
    <column name="teff" type="real" unit="K" ucd="phys.temperature.effective"/>
    <column name="e_teff" type="real" unit="K" ucd="stat.error;phys.temperature.effective"/>
    <column name="logg" type="real" ucd="phys.gravity"/>
    <column name="e_logg" type="real" ucd="stat.error;phys.gravity"/>
    <column name="quoted/[Fe/H]" type="real" ucd="phys.abund.Fe"/>
    <column name="quoted/e_[Fe/H]" type="real" ucd="stat.error;phys.abund.Fe"/>
  </table>

  <table id="iii_286_catalog" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="apogee" type="text" ucd="meta.id;meta.main"/>
    <column name="gaiaedr3" type="bigint" ucd="meta.id.cross"><values nullLiteral="-9999"/></column>
    <column name="raj2000" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dej2000" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="snr" type="real" ucd="stat.snr"/>
    <column name="aflag" type="bigint" ucd="meta.code.qual"><values nullLiteral="-9999"/></column>
    <column name="teff" type="real" unit="K" ucd="phys.temperature.effective"/>
    <column name="e_teff" type="real" unit="K" ucd="stat.error;phys.temperature.effective"/>
    <column name="logg" type="real" ucd="phys.gravity"/>
    <column name="e_logg" type="real" ucd="stat.error;phys.gravity"/>
    <column name="quoted/[M/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[M/H]" type="real" ucd="stat.error;phys.abund"/>
    <column name="quoted/[Fe/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[Fe/H]" type="real" ucd="stat.error;phys.abund"/>
    <column name="quoted/[a/M]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[a/M]" type="real" ucd="stat.error;phys.abund"/>
    <column name="quoted/[C/Fe]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[C/Fe]" type="real" ucd="stat.error;phys.abund"/>
    <column name="quoted/[N/Fe]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[N/Fe]" type="real" ucd="stat.error;phys.abund"/>
  </table>

  <table id="b_pastel_pastel" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="id" type="text" ucd="meta.id;meta.main"/>
    <column name="radeg" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dedeg" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="teff" type="real" unit="K" ucd="phys.temperature.effective"/>
    <column name="e_teff" type="real" unit="K" ucd="stat.error;phys.temperature.effective"/>
    <column name="logg" type="real" ucd="phys.gravity"/>
    <column name="e_logg" type="real" ucd="stat.error;phys.gravity"/>
    <column name="quoted/[Fe/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[Fe/H]" type="real" ucd="stat.error;phys.abund"/>
    <column name="bibcode" type="text" ucd="meta.bib.bibcode"/>
  </table>

  <table id="j_mnras_506_150_stars" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="galah" type="bigint" ucd="meta.id;meta.main"><values nullLiteral="-9999"/></column>
    <column name="gaiaedr3" type="bigint" ucd="meta.id.cross"><values nullLiteral="-9999"/></column>
    <column name="raj2000" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dej2000" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="redflag" type="integer" ucd="meta.code.qual"><values nullLiteral="-9999"/></column>
    <column name="teff" type="real" unit="K" ucd="phys.temperature.effective"/>
    <column name="e_teff" type="real" unit="K" ucd="stat.error;phys.temperature.effective"/>
    <column name="logg" type="real" ucd="phys.gravity"/>
    <column name="e_logg" type="real" ucd="stat.error;phys.gravity"/>
    <column name="quoted/[Fe/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[Fe/H]" type="real" ucd="stat.error;phys.abund"/>
    <column name="quoted/[alpha/Fe]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[alpha/Fe]" type="real" ucd="stat.error;phys.abund"/>
  </table>

  <table id="j_apjs_245_34_catalog" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="raj2000" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dej2000" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="snrg" type="real" ucd="stat.snr"/>
    <column name="teff" type="real" unit="K" ucd="phys.temperature.effective"/>
    <column name="e_teff" type="real" unit="K" ucd="stat.error;phys.temperature.effective"/>
    <column name="logg" type="real" ucd="phys.gravity"/>
    <column name="e_logg" type="real" ucd="stat.error;phys.gravity"/>
    <column name="quoted/[Fe/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[Fe/H]" type="real" ucd="stat.error;phys.abund"/>
    <column name="quoted/[alpha/Fe]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[alpha/Fe]" type="real" ucd="stat.error;phys.abund"/>
    <column name="quoted/[C/Fe]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[C/Fe]" type="real" ucd="stat.error;phys.abund"/>
    <column name="quoted/[N/Fe]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[N/Fe]" type="real" ucd="stat.error;phys.abund"/>
    <column name="quoted/[Mg/Fe]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[Mg/Fe]" type="real" ucd="stat.error;phys.abund"/>
    <column name="quoted/[Ca/Fe]" type="real" ucd="phys.abund"/>
    <column name="quoted/e_[Ca/Fe]" type="real" ucd="stat.error;phys.abund"/>
  </table>

  <table id="j_apj_879_69_table1" onDisk="True" adql="True">
    <mixin>//scs#q3cindex</mixin>
    <column name="apogee" type="text" ucd="meta.id;meta.main"/>
    <column name="raj2000" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dej2000" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
    <column name="teff" type="real" unit="K" ucd="phys.temperature.effective"/>
    <column name="logg" type="real" ucd="phys.gravity"/>
    <column name="quoted/[Fe/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/[C/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/[N/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/[O/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/[Mg/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/[Al/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/[Si/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/[S/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/[Ca/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/[Ti/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/[Cr/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/[Ni/H]" type="real" ucd="phys.abund"/>
    <column name="quoted/[Cu/H]" type="real" ucd="phys.abund"/>
    <column name="qual" type="text" ucd="meta.code.qual"/>
  </table>

  <data id="import">
    <make table="v_164_stellar5"><rowmaker idmaps="ra*"/></make>
    <make table="v_156_dr7slrs"><rowmaker idmaps="ra*"/></make>
    <make table="iii_286_catalog"><rowmaker idmaps="ra*"/></make>
    <make table="b_pastel_pastel"><rowmaker idmaps="ra*"/></make>
    <make table="j_mnras_506_150_stars"><rowmaker idmaps="ra*"/></make>
    <make table="j_apjs_245_34_catalog"><rowmaker idmaps="ra*"/></make>
    <make table="j_apj_879_69_table1"><rowmaker idmaps="ra*"/></make>
  </data>
</resource>
