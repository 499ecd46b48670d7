"""The words of picture books in English and Spanish, which the demo model's tokenizer knows whole."""

from __future__ import annotations

ENGLISH = """
a about above across after again air all alone along also always am among an and angry animal another any
apple are arm arms around as asleep astonished at away baby back bag ball balloon banana bath beach bear
beautiful because bed bee before behind bell below bench beside best better between bicycle big bike bird
birthday black blanket blue board boat body book boots bottle bottom bow bowl box boy bread bridge bright
broken brown brush building bus bush butterfly by cactus cacti cake camera can candle cap car card carries
carrying cartoon castle cat catch chair chasing cheerful child children city clean climbing clock closed
cloud clouds coat cold color colour colourful cookie corner country couple cow creature critter crown crying
cup curly curtain cute dance dancing dark day desert desk dog doing doll door down dragon drawing drawn
dress drew drinking driving drum duck each ear ears earth eating edge egg elephant empty evening every eye
eyes face fair family far farm fast feather feet fence few field fire fireworks fish flag flies floating
floor flower flowers flying food foot for forest four fox friend friendly frog from front frown fruit full
fun funny furious furry game garden ghost giant girl glass glasses goat going gold good grass gray great
green grey ground group guitar hair half hand hands hanging happily happy has hat have having he head heart
helmet her here high hill hills him his hold holding holds hole home honey horn horns horse hot house how
huge i ice in inside into is island it its jacket jump jumping jumps just key kitchen kite kitten lady lake
lamp land large laughing leaf leaves left leg legs letter light like lion little lollipop long look looking
looks lots lying machine made makes man many map meadow mice middle milk mirror monkey monster monsters moon
morning mountain mountains mouse mouth moving much music near neck nest net new next nice night no nose not
number of off old on one open or orange other out outside over owl painting pair pan paper park part party
path pen pencil people person pet photo picture pig pink pizza plane plant plate playing plump pointy pond
pool pot present pretty puddle puppy purple rabbit rain rainbow reading red resting ribbon riding right
river road rock rocket roof room round row rug running sad sand scarf school sea see seen several shadow she
sheep shell ship shirt shoe shoes shop side sign silly silver sister sits sitting sky sleeping sleeps sleepy
slice small smile smiling smoke snail snake snow snowy sock sofa soft some someone something sound soup
spider spoon spots spotted square stairs standing stands star stars station stick sticks still stone store
storm street striped stripes strong sun sunglasses sunny surprised sweet swimming swing table tail tall
teapot tears tearful teeth tent that the their them then there these they thick thin thing things this three
through tie tiger time tiny to together top tower town toy toys track train tree trees triangle truck trunk
turtle two ugly umbrella under up upon very village walking walks wall warm watching water wave waves waving
wears wearing were wet whale wheel wheels where which while white who wide wild wind window windows wing
wings winter with without wolf woman wood wooden woods word working world worm yellow you young zebra
"""

SPANISH = """
a abajo abeja abierta abierto abiertas abiertos abrigo abuela abuelo agua aire al alas alegre alegría
alfombra alguien algunos allí alta alto amarilla amarillas amarillo amarillos amigo amigos ancha ancho
animal animales anillo antena antenas aparece aquí araña árbol árboles arcoíris arena arriba asiento asombro
asustado atrás autobús avión ayer azul azules bailando baila bajo balón banco bandera baño barca barco
barrio bebé bebiendo bello bicho bicicleta bien blanca blancas blanco blancos blusa boca bolsa bonita bonito
bosque botas botella brazo brazos brilla brillante bruja buena bueno burro caballo cabeza cactus cada cae
café caja calle cama camina caminando camino camión camisa campana campo canta cara caracol caramelo
carretera carta casa castillo ceño cerca cereza cerdo cerrada cerrado cerradas cerrados césped cesta cielo
cinco cinta ciudad coche cocina cohete cola collar color colores come cometa comiendo comida con conejo
contenta contento copa corazón corona corre corriendo corta corto cosa criatura criaturas cuadrada cuadrado
cuatro cubo cuchara cuello cuerno cuernos cuerpo cueva cumpleaños curiosa curioso de debajo dedo del delante
delgado dentro desde desierto despierto despacio detrás día dibujada dibujado dibujo dibujó diente dientes
divertida divertido dormida dormido dos dragón duerme dulce durmiendo él elefante ella en encima enfadada
enfadado enfado enorme entre era erizo es esa escalera escuela ese espejo esta está están estar este
estrella estrellas extraña extraño falda familia fantasma fea feliz felices feo fiesta fila flor flores
flota foto fresa frente fría frío fruncido fruta fuego fuente fuera fuerte furioso gafas galleta gallina
gallo gato gigante globo globos gorda gordo gorra gorro gran grande grandes gris grises grupo guante
guitarra gusano haciendo hacia hay helado hermosa hermoso hierba hija hijo hoja hojas hombre hombro hora hoy
hueso huevo isla jardín joven jugando juguete junto la lado lago lágrimas lámpara lápiz larga largas largo
largos las lazo le leche lechuza lejos lengua león leyendo libro limón limpio línea llanto llena lleno lleva
llora llorando lluvia lobo loco los luces luna luz madera maleta mamá mano manos manzana mañana mar mariposa
marrón marrones máquina más medio mejor menos mesa mientras mira mirando mitad mochila molino mono monstruo
monstruos montaña montañas montando morada moradas morado morados mucha mucho muchos mujer muñeca música muy
nada nadando naranja naranjas nariz negra negras negro negros nevada nevadas nevado nevados nido nieve niña
niño niños no noche nosotros nube nubes nuestra nueva nuevo número ojo ojos ola olas oreja orejas osa oscura
oscuro oso otra otro oveja paisaje pájaro palo pan pantalón papá papel paraguas pared parque pata patas pato
paz pecho pelo pelota pena peluda peluda peludo pequeña pequeñas pequeño pequeños pera perro persona pescado
pez pico pie piedra piel pierna piernas pies pingüino pino pirata pizza planeta planta plátano plato playa
plaza pluma poca poco por prado primera primero princesa puente puerta puesta puesto pueblo que queso quién
quieta quieto ramas rana rápido raro rata ratón rayas rechoncha rechoncho redonda redondo regalo reina reloj
rey ríe río risa robot roca roja rojas rojo rojos ropa rosa rosas rota roto rueda ruedas sal salta saltando
se sentada sentado seis señor señora serpiente seta siempre siete silla simpática simpático sin sobre sofá
sol sola solo sombra sombrero son sonríe sonriente sonrisa sopa sorprendida sorprendido su suave subiendo
sucio suelo sueño sujeta sus también tambor tarde tarta taza techo tejado tela tiempo tienda tiene tierra
tigre timbre toca tocando toma toro torre tortuga tractor traje tranquilo través tren tres triángulo triste
tristes tronco un una unas uno unos uña uva vaca valle vaso ve vela ven ventana veo verano verde verdes
vestido vida vieja viejo viento vuela vuelo volando y ya yo zapato zapatos zorro
"""


def everyday_words() -> list[str]:
    """All of them, without doubles, in order."""
    return list(dict.fromkeys((ENGLISH + SPANISH).split()))
